import { beginTrying, BUS_ALIAS } from './made-device.ts';
import { guestFor } from './scenario.ts';
import { insertedBy } from './told.ts';

const RULES = [
  // What a rule says of modules.
  'SUBSYSTEM=="pci", MODULE=="nvme", VERDICT="deny", REASON="no disks of this kind here"',
  'SUBSYSTEM=="platform", MODULE=="usherd_trying", ATTR{driver_override}=="?*", VERDICT="deny", REASON="as its attribute says"',
  'SUBSYSTEM=="pci", MODULE=="e1000e", OPTIONS{module}+="SmartPowerDownEnable=1"',
  // What rules say of nodes and interfaces, where usherd keeps /dev.
  'SUBSYSTEM=="block", KERNEL=="sd?", ENV{DEVTYPE}=="disk", SYMLINK+="disk/by-test/$kernel disk/any", GROUP="6", MODE="0640", RUN+="/bin/touch /run/ran-$kernel"',
  'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="e1000e", NAME="lan0"',
  'KERNEL=="null", OPTIONS+="static_node=null", MODE="0622"',
  'SUBSYSTEM=="block", KERNEL=="sd?", OPTIONS+="watch"',
  '',
].join('\n');

const scenario = await guestFor({
  testModules: true,
  files: {
    'etc/modprobe.d/test.conf': `${BUS_ALIAS}\n`,
    'etc/usherd/usherd.toml': 'manage_dev = true\n',
    'etc/usherd/rules.d/50-test.rules': RULES,
  },
});

scenario('a rule that denies a module keeps it out, and why names its line', async (t, guest) => {
  await guest.startUsherd();
  const plug = await guest.plug('nvme');
  await guest.until(`usher history --json -n 100 --verdict deny | grep -q nvme`);
  t.false((await guest.procModules()).has('nvme'));
  const [entry] = (await guest.history('--verdict deny')).slice(-1);
  t.is(entry?.result, 'denied');
  const told = await guest.run(`usher history --json -n 100 --verdict deny | tail -n 1`);
  t.regex(told, /no disks of this kind here/);
  t.regex(told, /50-test\.rules/);
  await guest.unplug(plug);
});

scenario(
  'a parameter a rule adds is in the kernel, and the interface has the name the rule gives',
  async (t, guest) => {
    const plug = await guest.plug('e1000e');
    const [bound] = await guest.expectBound('pci', 'e1000e');
    await guest.until('[ -e /sys/class/net/lan0 ]');
    t.is(await guest.run('readlink -f /sys/class/net/lan0/device'), `/sys${bound?.devpath}`);
    const [loaded] = (await guest.storyOf(bound?.devpath ?? '', plug.fromSeqnum)).filter(entry =>
      insertedBy(entry).includes('e1000e'),
    );
    t.not(loaded, undefined);
    t.regex(await guest.run(`usher why --json ${bound?.devpath}`), /SmartPowerDownEnable=1/);
    await guest.unplug(plug);
  },
);

scenario(
  'a disk has its links, group and mode as rules say, a program is run for it, and all is gone with it',
  async (t, guest) => {
    const plug = await guest.plug('usb-storage');
    await guest.until('[ -L /dev/disk/by-test/sda ] && [ -e /run/ran-sda ]');
    t.is(await guest.run('readlink /dev/disk/by-test/sda'), '../../sda');
    t.is(await guest.run('stat -c "%a %g" /dev/sda'), '640 6');
    t.is(await guest.run('readlink -f /dev/disk/any'), '/dev/sda');
    const events = async (): Promise<number> => (await guest.history('-d sda -a change')).length;
    const before = await events();
    await guest.run('dd if=/dev/zero of=/dev/sda bs=512 count=1 conv=fsync 2>/dev/null');
    await guest.until(`[ $(usher history --json -n 100 -d sda -a change | wc -l) -gt ${before} ]`);
    await guest.unplug(plug);
    await guest.until('! [ -e /dev/disk/by-test/sda ] && ! [ -d /dev/disk/by-test ]');
    t.is(await guest.run('[ -L /dev/disk/any ] && echo there || echo gone'), 'gone');
  },
);

scenario(
  'a rule asks for what a driver holds back that tries the device: its event waits, and no other',
  async (t, guest) => {
    const { devpath: trying, letGo } = await beginTrying(guest);
    const plug = await guest.plug('virtio-rng-pci');
    await guest.expectBound('virtio', 'virtio_rng');
    const added = `-d ${trying} -a add`;
    const [waiting] = await guest.history(added, { isRunning: false });
    t.deepEqual([waiting?.state, waiting?.deliberation], ['recorded', undefined]);
    await letGo();
    await guest.until(`usher history --json -n 100 ${added} --verdict deny | grep -q "as its attribute says"`);
    await guest.unplug(plug);
  },
);

scenario('a rule set with an error does not take the place of the one that counts', async (t, guest) => {
  await guest.run(`echo 'MODULE=="x", VERDICT="dney"' >>/etc/usherd/rules.d/50-test.rules`);
  await guest.until('usher history --incidents --json -n 100 | grep -q rules-refused');
  const plug = await guest.plug('nvme');
  const fromSeqnum = String(plug.fromSeqnum);
  await guest.until(`usher history --json -n 100 --verdict deny --from-seqnum ${fromSeqnum} | grep -q nvme`);
  t.false((await guest.procModules()).has('nvme'));
  await guest.unplug(plug);
});
