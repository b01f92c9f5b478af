import type { ExecutionContext } from 'ava';
import { DAEMON_PID, type Guest } from './guest.ts';
import { jsonLines } from '../support/usher.ts';
import { guestFor } from './scenario.ts';
import { insertedBy, sorted, type Told } from './told.ts';

/** A request as `usher history --requests --json` prints it. */
interface Request {
  readonly asker: string;
  readonly asked: string;
  readonly result?: string;
  readonly outcomes: readonly Told[];
}

interface Pending {
  readonly id: number;
  readonly seen: { readonly devpath: string };
}

const HELPER = '/usr/lib/usherd/bin/usher-modprobe';

const scenario = await guestFor({
  files: {
    'etc/modprobe.d/test.conf': 'install e1000e usher modprobe --ignore-install e1000e\n',
    'etc/usherd/usherd.toml': '[policy]\ndefault = "deny-unmatched"\nallow_requests = ["char-major-10-200"]\n',
  },
});

async function requestsOf(guest: Guest): Promise<readonly Request[]> {
  await guest.run('usher settle >/dev/null');
  return jsonLines<Request>(await guest.try('usher history --requests --json -n 100'));
}

async function configure(guest: Guest, settings: string): Promise<void> {
  await guest.stopUsherd();
  const lines = ['[policy]', ...settings.split('; ')].map(line => `'${line}'`).join(' ');
  await guest.run(`printf '%s\n' ${lines} >/etc/usherd/usherd.toml`);
  await guest.startUsherd();
}

scenario('deny-unmatched: every device of the machine has its driver, and no entry is denied', async (t, guest) => {
  const asked = await guest.run('usher devices --json | grep -c modalias || true');
  t.not(asked, '0');
  const before = [...(await guest.procModules()).keys()];
  await guest.startUsherd();
  const entries = await guest.history();
  t.deepEqual(
    entries.filter(({ result }) => result === 'denied' || result === 'held'),
    [],
  );
  await guest.expectBound('pci', 'xhci_hcd');
  const inserted = entries.flatMap(insertedBy);
  t.deepEqual(sorted((await guest.procModules()).keys()), sorted([...before, ...inserted]));
  t.true(inserted.length > 0);
});

scenario('deny-unmatched: a new device has its driver, with nothing written anew', async (t, guest) => {
  const plug = await guest.plug('e1000e');
  // Its install command runs modprobe by name: as a part of the device's plan that is no request of an administrator.
  t.is((await guest.expectBound('pci', 'e1000e')).length, 1);
  await guest.run('usher rmmod e1000e');
  t.is((await guest.try('MODPROBE_MODULE=e1000e usher modprobe -i e1000e')).status, 1);
  await guest.unplug(plug);
  await guest.expectNone('pci', 'e1000e');
});

scenario(
  'deny-unmatched: what the kernel asks for by itself, a rare file system and a link type, is denied by its alias and explained',
  async (t, guest) => {
    await guest.run(`echo ${HELPER} >/proc/sys/kernel/modprobe`);
    const mount = await guest.try('mount -t hfsplus /dev/null /mnt 2>&1 || mount -t hfsplus none /tmp');
    t.not(mount.status, 0);
    t.not((await guest.try('ip link add usherdt0 type dummy')).status, 0);
    t.not((await guest.try('usher modprobe dccp')).status, 0);
    const modules = await guest.procModules();
    for (const module of ['hfsplus', 'dummy', 'dccp']) t.false(modules.has(module), module);
    const requests = await requestsOf(guest);
    for (const alias of ['fs-hfsplus', 'rtnl-link-dummy']) {
      const request = requests.find(({ asked }) => asked === alias);
      t.like(request, { asker: 'kernel', result: 'denied' }, alias);
      t.regex(
        request?.outcomes[0]?.reason ?? '',
        new RegExp(
          `is denied by usherd\\.toml: default is "deny-unmatched": no device asks for it, the kernel does by "${alias}"`,
        ),
      );
    }
  },
);

scenario('deny-unmatched: what allow_requests names is loaded, and the kernel goes on with it', async (t, guest) => {
  await guest.run('mknod /tmp/tun c 10 200; : </tmp/tun');
  t.is((await guest.procModules()).get('tun')?.state, 'Live');
  const request = (await requestsOf(guest)).find(({ asked }) => asked === 'char-major-10-200');
  t.like(request, { asker: 'kernel', result: 'loaded' });
});

scenario('while the daemon is away the kept answers deny, and forbid nothing else', async (t, guest) => {
  await guest.stopUsherd();
  t.not((await guest.try('ip link add usherdt0 type dummy')).status, 0);
  t.false((await guest.procModules()).has('dummy'));
  await guest.run('usher rmmod tun; : </tmp/tun');
  t.is((await guest.procModules()).get('tun')?.state, 'Live');
  await guest.startUsherd();
});

scenario(
  'a module that is forbidden stops what needs it, for a device and for modprobe, and both say so',
  async (t, guest) => {
    await configure(guest, 'default = "allow"');
    await guest.run('usher forbid mii --reason "no links"');
    const plug = await guest.plug('usb-net');
    await guest.until(
      'grep -l 0525 /sys/bus/usb/devices/*/idVendor && set -- /sys/bus/usb/devices/*/bInterfaceNumber && [ $# -ge 3 ]',
    );
    const entries = await guest.history(`-m cdc_ether --from-seqnum ${plug.fromSeqnum}`);
    t.is(entries[0]?.result, 'denied');
    t.deepEqual(
      [...new Set(entries[0]?.outcomes.map(({ reason }) => reason))],
      ['mii is denied by administrator: forbidden by user 0: no links'],
    );
    const ran = await guest.try('usher modprobe cdc_ether');
    t.is(ran.status, 1);
    t.regex(ran.stderr, /could not insert 'cdc_ether': Operation not permitted/);
    t.regex(ran.stderr, /mii is denied by administrator: forbidden by user 0: no links/);
    t.false((await guest.procModules()).has('cdc_ether'));
    await guest.run('usher modprobe cdc_ether --override-policy "a test of it"');
    await guest.expectBound('usb', 'cdc_ether');
    const told = jsonLines<{ incident: { kind: string; reason?: string } }>(
      await guest.try('usher history --incidents --json -n 100'),
    );
    t.like(
      told.map(({ incident }) => incident).find(({ kind }) => kind === 'policy-overridden'),
      { reason: 'a test of it' },
    );
    await guest.run('usher permit mii');
    await guest.unplug(plug);
  },
);

scenario('a held stick has its driver when its approval answers', async (t, guest) => {
  await configure(guest, 'hold = ["usb:*ic08*"]');
  const plug = await guest.plug('usb-storage');
  await guest.until('[ -n "$(usher pending --json)" ]');
  const [item] = jsonLines<Pending>(await guest.try('usher pending --json'));
  t.false((await guest.procModules()).has('usb_storage'));
  const approvedAt = performance.now();
  const [answer] = jsonLines<{ driver?: string; result: string }>(await guest.try(`usher approve ${item?.id} --json`));
  t.log(`approve took ${Math.round(performance.now() - approvedAt)} ms on this emulated machine`);
  t.like(answer, { result: 'loaded', driver: 'usb-storage' });
  await guest.expectBound('usb', 'usb-storage');
  const [request] = (await requestsOf(guest)).filter(({ asker }) => asker === 'approval');
  t.deepEqual(request?.outcomes.map(({ module }) => module).at(-1), 'usb_storage');
  t.is((await guest.try('usher pending --json')).stdout, '');
  await guest.unplug(plug);
  await guest.expectNone('usb', 'usb-storage');
});

scenario(
  'with the USB gate a stick whose driver is loaded already waits too, and others are let in at once',
  async (t, guest) => {
    t.true((await guest.procModules()).has('usb_storage'));
    await configure(guest, 'hold = ["usb:*ic08*"]; usb_gate = "interface"');
    t.is(await guest.run('cat /sys/bus/usb/devices/usb*/interface_authorized_default | sort -u'), '0');
    const mouse = await guest.plug('usb-mouse');
    t.is((await guest.expectBound('usb', 'usbhid')).length, 1);
    const stick = await guest.plug('usb-storage');
    await guest.until('[ -n "$(usher pending --json)" ]');
    const [item] = jsonLines<Pending>(await guest.try('usher pending --json'));
    const place = `/sys${item?.seen.devpath}`;
    t.is(await guest.run(`cat ${place}/authorized; [ -e ${place}/driver ] || echo unbound`), '0\nunbound');
    const [answer] = jsonLines<{ driver?: string }>(await guest.try(`usher approve ${item?.id} --json`));
    t.like(answer, { driver: 'usb-storage' });
    t.is(await guest.run(`cat ${place}/authorized`), '1');
    await guest.unplug(stick);
    await guest.unplug(mouse);
    await guest.expectNone('usb', 'usb-storage');
    await configure(guest, 'default = "allow"');
    t.is(await guest.run('cat /sys/bus/usb/devices/usb*/interface_authorized_default | sort -u'), '1');
  },
);

scenario(
  'with the USB gate for devices a held stick is not even set up before its approval, and then has its driver',
  async (t, guest) => {
    await configure(guest, 'hold = ["usb:*ic08*"]; usb_gate = "device"');
    const mouse = await guest.plug('usb-mouse');
    t.is((await guest.expectBound('usb', 'usbhid')).length, 1);
    const stick = await guest.plug('usb-storage');
    await guest.until('[ -n "$(usher pending --json)" ]');
    const [item] = jsonLines<Pending>(await guest.try('usher pending --json'));
    const place = `/sys${item?.seen.devpath}`;
    t.is(await guest.run(`cat ${place}/authorized; ls -d ${place}/*:* 2>/dev/null || echo bare`), '0\nbare');
    t.is((await guest.storyOf(item?.seen.devpath ?? '', stick.fromSeqnum))[0]?.result, 'held');
    await guest.run(`usher approve ${item?.id}`);
    await guest.expectBound('usb', 'usb-storage');
    t.is((await guest.try('usher pending --json')).stdout, '');
    await guest.unplug(stick);
    await guest.expectNone('usb', 'usb-storage');
    // What let it in was for that device in that moment: it is asked about again.
    const again = await guest.plug('usb-storage');
    await guest.until('[ -n "$(usher pending --json)" ]');
    await guest.unplug(again);
    await guest.until('[ -z "$(usher pending --json)" ]');
    await guest.unplug(mouse);
    await configure(guest, 'default = "allow"');
    t.is(await guest.run('cat /sys/bus/usb/devices/usb*/authorized_default | sort -u'), '1');
  },
);

scenario('a change on trial goes back after a crash of the daemon, and the module loads again', async (t, guest) => {
  await guest.run('usher policy try forbid dummy --reason "a try" --minutes 10');
  t.is((await guest.try('usher modprobe dummy')).status, 1);
  await guest.run(`${DAEMON_PID}; kill -9 $pid; while [ -d /proc/$pid ]; do usleep 50000; done`);
  t.is((await guest.try('usher modprobe dummy')).status, 1);
  await guest.run('date -s "@$(( $(date +%s) + 601 ))" >/dev/null; usher modprobe dummy');
  t.true((await guest.procModules()).has('dummy'));
  await guest.startUsherd();
  t.is(await guest.run('grep -c dummy /var/lib/usherd/decisions.toml || true'), '0');
});

scenario(
  'the only keyboard cannot be cut off unless that is forced, and forcing is in the ledger',
  async (t, guest) => {
    // The keyboard of the board is taken away: what is left is on USB.
    await guest.run(
      'for port in /sys/bus/serio/drivers/atkbd/serio*; do echo ${port##*/} >/sys/bus/serio/drivers/atkbd/unbind; done 2>/dev/null; true',
    );
    const plug = await guest.plug('usb-kbd');
    await guest.expectBound('usb', 'usbhid');
    await guest.run('usher settle >/dev/null');
    await refused(t, guest, 'usbhid', /the only keyboard would not come up again: QEMU QEMU USB Keyboard needs usbhid/);
    await refused(t, guest, 'hid', /the only keyboard/);
    t.is(await guest.run('usher policy show --json | grep -c usbhid || true'), '0');
    await guest.run('usher forbid usbhid --reason "meant so" --force');
    const told = jsonLines<{ incident: { change?: string; forced?: readonly string[] } }>(
      await guest.try('usher history --incidents --json -n 100'),
    );
    t.is(told.map(({ incident }) => incident).find(({ change }) => change === 'forbid usbhid')?.forced?.length, 1);
    await guest.run('usher permit usbhid');
    await guest.unplug(plug);
  },
);

async function refused(t: ExecutionContext, guest: Guest, module: string, why: RegExp): Promise<void> {
  const ran = await guest.try(`usher forbid ${module} --reason x`);
  t.is(ran.status, 12, ran.stderr);
  t.regex(ran.stderr, why);
}
