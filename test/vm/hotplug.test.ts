import { guestFor } from './scenario.ts';
import { insertedBy, sorted } from './told.ts';

const scenario = await guestFor({});

/** Kind of device, bus and driver that is to take it, its module, and how many of its parts the driver takes. */
const DEVICES: readonly (readonly [device: string, bus: string, driver: string, module: string, parts: number])[] = [
  ['usb-storage', 'usb', 'usb-storage', 'usb_storage', 1],
  ['usb-serial', 'usb', 'ftdi_sio', 'ftdi_sio', 1],
  ['usb-net', 'usb', 'cdc_ether', 'cdc_ether', 2],
  ['usb-audio', 'usb', 'snd-usb-audio', 'snd_usb_audio', 2],
  ['usb-mouse', 'usb', 'usbhid', 'usbhid', 1],
  ['e1000e', 'pci', 'e1000e', 'e1000e', 1],
  ['nvme', 'pci', 'nvme', 'nvme', 1],
  ['virtio-net-pci', 'virtio', 'virtio_net', 'virtio_net', 1],
  ['virtio-rng-pci', 'virtio', 'virtio_rng', 'virtio_rng', 1],
  ['AC97', 'pci', 'snd_intel8x0', 'snd_intel8x0', 1],
  ['ich9-intel-hda', 'pci', 'snd_hda_intel', 'snd_hda_intel', 1],
  ['sdhci-pci', 'pci', 'sdhci-pci', 'sdhci_pci', 1],
];

scenario(
  'coldplug loads what the devices of the machine ask for, and the ledger has every module the kernel has',
  async (t, guest) => {
    const before = [...(await guest.procModules()).keys()];
    await guest.startUsherd();
    const entries = await guest.history();
    t.deepEqual(sorted(entries.map(({ event }) => event.origin.kind)), ['coldplug', 'kernel']);
    const inserted = new Set(entries.flatMap(insertedBy));
    const after = [...(await guest.procModules()).keys()];
    t.deepEqual(sorted(after), sorted([...before, ...inserted]));
    const [controller] = await guest.expectBound('pci', 'xhci_hcd');
    const [entry] = entries.filter(({ event }) => event.devpath === controller?.devpath && event.action === 'add');
    t.like(entry, { state: 'ended', result: 'loaded' });
    t.deepEqual(insertedBy(entry).at(-1), 'xhci_pci');
    t.deepEqual(
      entry?.binds.map(({ driver }) => driver),
      ['xhci_hcd'],
    );
  },
);

for (const [device, bus, driver, module, parts] of DEVICES) {
  scenario(
    `${device}: plugged in, ${driver} takes it; pulled out, it is gone; the ledger tells the same`,
    async (t, guest) => {
      t.false((await guest.procModules()).has(module));
      const plug = await guest.plug(device);
      const bound = await guest.expectBound(bus, driver, parts);
      t.is(bound.length, parts);
      await guest.run('usher settle');
      t.like((await guest.procModules()).get(module), { state: 'Live', taint: '' });
      await guest.unplug(plug);
      await guest.expectNone(bus, driver);
      const entries = await guest.history(`--from-seqnum ${plug.fromSeqnum}`);
      for (const { devpath } of bound) {
        const story = entries.filter(({ event }) => event.devpath === devpath);
        t.deepEqual(
          story.map(({ event }) => [event.action, event.origin.kind]),
          ['add', 'bind', 'unbind', 'remove'].map(action => [action, 'kernel']),
        );
        t.is(story[0]?.state, 'ended');
        t.deepEqual(
          story[0]?.binds.map(bind => [bind.devpath, bind.driver]),
          [[devpath, driver]],
        );
      }
      t.true(entries.flatMap(insertedBy).includes(module));
    },
  );
}

scenario('usb-uas: the disk behind it comes too, and its driver is loaded', async (t, guest) => {
  const plug = await guest.plugUas();
  const [stick] = await guest.expectBound('usb', 'uas');
  const [disk] = await guest.expectBound('scsi', 'sd');
  t.true(disk?.devpath.startsWith(`${stick?.devpath}/`));
  t.is((await guest.procModules()).get('sd_mod')?.state, 'Live');
  const [added] = await guest.storyOf(disk?.devpath ?? '', plug.fromSeqnum);
  t.deepEqual(
    added?.binds.map(({ driver }) => driver),
    ['sd'],
  );
  await guest.unplug(plug);
  await guest.expectNone('usb', 'uas');
});

scenario('a device that no module claims is in the ledger with that answer, and why says so', async (t, guest) => {
  const plug = await guest.plug('edu');
  await guest.until('grep -l 0x11e8 /sys/bus/pci/devices/*/device');
  const devpath = await guest.run(
    'readlink -f $(dirname $(grep -l 0x11e8 /sys/bus/pci/devices/*/device)) | sed s,^/sys,,',
  );
  const [added] = await guest.storyOf(devpath, plug.fromSeqnum);
  t.like(added, { state: 'ended', result: 'no-module', outcomes: [], binds: [] });
  const told = await guest.why(devpath);
  t.deepEqual([told.device.devpath, told.candidates, told.plans], [devpath, [], []]);
  await guest.unplug(plug);
});

scenario('the kernel says nothing of a driver that failed, and no event was lost', async (t, guest) => {
  t.notRegex(await guest.dmesg(), /failed with error|Unknown symbol|tainting/);
  t.deepEqual(
    (await guest.incidents()).map(({ incident }) => incident.kind),
    [],
  );
  t.is(await guest.run('cat /proc/sys/kernel/tainted'), '0');
  const numbers = (await guest.history()).flatMap(({ event }) =>
    event.seqnum === undefined ? [] : [BigInt(event.seqnum)],
  );
  const first = numbers[0] ?? 0n;
  t.deepEqual(
    numbers,
    numbers.map((_, n) => first + BigInt(n)),
  );
});
