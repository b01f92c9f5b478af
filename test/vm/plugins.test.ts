import { jsonLines } from '../support/usher.ts';
import type { Guest } from './guest.ts';
import { guestFor } from './scenario.ts';
import { sorted } from './told.ts';

const scenario = await guestFor({
  testModules: true,
  // vfio-pci takes no device that no IOMMU keeps apart.
  boardDevices: ['intel-iommu'],
  commandLine: ['intel_iommu=on'],
  files: {
    // Where only devices have modules loaded, a driver that a device is kept for is loaded for that device, too.
    'etc/usherd/usherd.toml':
      '[policy]\nusb_gate = "interface"\ndefault = "deny-unmatched"\nallow_requests = ["dummy", "usherd_*"]\n',
    'etc/usherd/plugins/README': 'here\n',
  },
});

interface Pending {
  readonly id: number;
  readonly seen: { readonly devpath: string };
  readonly modules: readonly { readonly module: string; readonly reason: string }[];
}

interface Listing {
  readonly name: string;
  readonly state: string;
  readonly because?: string;
}

/** Writes a plugin's settings and waits until the daemon has taken them over. */
async function configure(guest: Guest, name: string, settings: string): Promise<void> {
  const lines = settings.split('\n').map(line => `'${line}'`);
  // Only what is whole is to be seen in the folder.
  await guest.run(
    `printf '%s\n' ${lines.join(' ')} >/run/${name}.toml && mv /run/${name}.toml /etc/usherd/plugins/${name}.toml`,
  );
  await guest.until(`usher plugin list --json | grep '"name":"${name}"' | grep -q '"state":"running"'`);
}

async function switchOff(guest: Guest, name: string): Promise<void> {
  await guest.run(`rm /etc/usherd/plugins/${name}.toml`);
  await guest.until(`usher plugin list --json | grep '"name":"${name}"' | grep -q '"state":"off"'`);
}

async function pending(guest: Guest): Promise<readonly Pending[]> {
  return jsonLines<Pending>(await guest.try('usher pending --json'));
}

/** All there is of reasons in what waits. */
async function whyHeld(guest: Guest): Promise<string> {
  await guest.until('[ -n "$(usher pending --json)" ]');
  return (await guest.try('usher pending --json')).stdout;
}

scenario('every bundled plugin is off until it has a file', async (t, guest) => {
  await guest.startUsherd();
  const listed = jsonLines<Listing>(await guest.try('usher plugin list --json'));
  t.true(listed.length > 5);
  t.deepEqual(
    listed.filter(({ state }) => state !== 'off'),
    [],
  );
});

scenario(
  'taint-guard: a module that was built out of tree and is not signed is refused before it taints',
  async (t, guest) => {
    t.is(await guest.run('cat /proc/sys/kernel/tainted'), '0');
    await configure(guest, 'taint-guard', '[settings]\nallow = ["usherd_pre"]');
    const refused = await guest.try('usher modprobe usherd_plain');
    t.is(refused.status, 1);
    t.regex(
      refused.stderr,
      /usherd_plain is denied by plugin taint-guard: usherd_plain would taint the kernel until the next boot: O, it was built outside the kernel tree; E, nobody signed it/,
    );
    t.false((await guest.procModules()).has('usherd_plain'));
    t.is(await guest.run('cat /proc/sys/kernel/tainted'), '0');
    await guest.run('usher modprobe dummy && usher rmmod dummy');
    await guest.run('usher modprobe usherd_pre && usher rmmod usherd_pre');
    t.not(await guest.run('cat /proc/sys/kernel/tainted'), '0');
    await switchOff(guest, 'taint-guard');
  },
);

scenario(
  'driver-override: a network card is kept for vfio-pci, and given back when its entry or the plugin goes',
  async (t, guest) => {
    const entry = '[[settings.devices]]\nid = "8086:10d3"\ndriver = "vfio-pci"';
    await configure(guest, 'driver-override', entry);
    const plug = await guest.plug('e1000e');
    const [device] = await guest.expectBound('pci', 'vfio-pci');
    const devpath = device?.devpath ?? '';
    t.false((await guest.procModules()).has('e1000e'));
    const [added] = await guest.storyOf(devpath, plug.fromSeqnum);
    const [decision] = added?.deliberation?.decisions ?? [];
    t.like(decision, { module: 'e1000e', verdict: 'replace' });
    t.is(await guest.run(`cat /sys${devpath}/driver_override`), 'vfio-pci');

    await configure(guest, 'driver-override', '[settings]\ndevices = []');
    t.deepEqual(await guest.expectBound('pci', 'e1000e'), [{ devpath, driver: 'e1000e' }]);
    t.is(await guest.run(`cat /sys${devpath}/driver_override`), '(null)');

    await configure(guest, 'driver-override', entry);
    t.deepEqual(await guest.expectBound('pci', 'vfio-pci'), [{ devpath, driver: 'vfio-pci' }]);
    // A restart of usherd leaves what runs there alone, and a new start knows it.
    await guest.stopUsherd();
    t.is(await guest.run(`basename $(readlink /sys${devpath}/driver)`), 'vfio-pci');
    await guest.startUsherd();
    t.is(await guest.run(`basename $(readlink /sys${devpath}/driver)`), 'vfio-pci');
    await switchOff(guest, 'driver-override');
    t.deepEqual(await guest.expectBound('pci', 'e1000e'), [{ devpath, driver: 'e1000e' }]);
    await guest.unplug(plug);
  },
);

scenario(
  'unload-unused: modules go some time after their last device, over a restart too, and no others do',
  async (t, guest) => {
    await configure(guest, 'unload-unused', '[settings]\nafter_minutes = 0.02');
    const before = sorted((await guest.procModules()).keys());
    const [stick, card] = [await guest.plug('usb-storage'), await guest.plug('e1000')];
    await guest.expectBound('usb', 'usb-storage');
    await guest.expectBound('pci', 'e1000');
    await guest.run('usher settle >/dev/null');
    await guest.unplug(card);
    await guest.until('! grep -q "^e1000 " /proc/modules');
    t.true((await guest.procModules()).has('usb_storage'));
    const more = [...(await guest.procModules()).keys()].filter(module => !before.includes(module));
    t.true(more.includes('sd_mod'));
    await guest.stopUsherd();
    await guest.unplug(stick);
    await guest.expectNone('usb', 'usb-storage');
    await guest.startUsherd();
    for (const module of more) await guest.until(`! grep -q "^${module} " /proc/modules`);
    t.deepEqual(sorted((await guest.procModules()).keys()), before);
    await guest.run('usher modprobe dummy; sleep 3');
    t.true((await guest.procModules()).has('dummy'));
    await switchOff(guest, 'unload-unused');
  },
);

scenario(
  'usb-allowlist: what is there is learned, the unknown waits, and a second keyboard waits, too',
  async (t, guest) => {
    const keyboard = await guest.plug('usb-kbd');
    await guest.expectBound('usb', 'usbhid');
    await configure(guest, 'usb-allowlist', '[settings]\nlearn = true');
    t.regex(await guest.run('cat /run/usherd.log'), /plugin usb-allowlist: learned QEMU QEMU USB Keyboard/);

    const stick = await guest.plug('usb-storage');
    t.regex(
      await whyHeld(guest),
      /QEMU USB HARDDRIVE \(46f4:0001, interfaces 08:06:50, descriptors [0-9a-f]{32}\) at \d-\d+ is not among the known devices/,
    );
    const [item] = await pending(guest);
    await guest.run(`usher approve ${item?.id} --always`);
    await guest.expectBound('usb', 'usb-storage');
    await guest.unplug(stick);
    await guest.expectNone('usb', 'usb-storage');
    // An answer for good is the standing decision of an administrator: the hold does not count any more.
    const again = await guest.plug('usb-storage');
    await guest.expectBound('usb', 'usb-storage');
    await guest.unplug(again);
    await guest.expectNone('usb', 'usb-storage');
    t.deepEqual(await pending(guest), []);

    const second = await guest.plug('usb-kbd', { serial: 'another' });
    t.regex(await whyHeld(guest), /keyboard/);
    t.is((await guest.expectBound('usb', 'usbhid')).length, 1);
    await guest.unplug(second);
    await guest.until('[ -z "$(usher pending --json)" ]');
    await guest.unplug(keyboard);
    await guest.expectNone('usb', 'usbhid');
    // Alone it is the keyboard that is known.
    const back = await guest.plug('usb-kbd');
    await guest.expectBound('usb', 'usbhid');
    await guest.unplug(back);
    await switchOff(guest, 'usb-allowlist');
  },
);

scenario('blacklist and notify: a denial by port reaches a command', async (t, guest) => {
  await configure(guest, 'notify', '[[settings.sinks]]\nkind = "command"\nrun = ["/bin/tee", "/run/told.json"]');
  await configure(
    guest,
    'blacklist',
    '[[settings.rules]]\nbus = ["usb"]\nmodalias = ["usb:*ic03*"]\nreason = "no mice"',
  );
  const mouse = await guest.plug('usb-mouse');
  await guest.until('[ -s /run/told.json ]');
  const told = JSON.parse(await guest.run('cat /run/told.json')) as { occasion: string; by?: string; reason?: string };
  t.like(told, { occasion: 'denied', by: 'plugin blacklist' });
  t.regex(told.reason ?? '', /^no mice: blacklisted by modalias "usb:\*ic03\*", bus "usb"$/);
  await guest.unplug(mouse);
});

scenario(
  'usb-allowlist with the gate for whole devices: a known mouse comes in, an unknown stick is not even set up',
  async (t, guest) => {
    await switchOff(guest, 'blacklist');
    await guest.stopUsherd();
    await guest.run('sed -i s/interface/device/ /etc/usherd/usherd.toml');
    await guest.startUsherd();
    const known = '[[settings.known]]\nvendor = "0627"\nproduct = "0001"\ninterfaces = ["03:*:*"]';
    await configure(guest, 'usb-allowlist', `[settings]\nlearn = false\n${known}`);
    const stick = await guest.plug('usb-storage');
    t.regex(await whyHeld(guest), /46f4:0001, interfaces 08:06:50/);
    const [item] = await pending(guest);
    const place = `/sys${item?.seen.devpath}`;
    t.is(await guest.run(`cat ${place}/authorized; ls -d ${place}/*:* 2>/dev/null || echo bare`), '0\nbare');
    const mouse = await guest.plug('usb-mouse');
    t.is((await guest.expectBound('usb', 'usbhid')).length, 1);
    await guest.unplug(mouse);
    await guest.unplug(stick);
  },
);
