import { guestFor } from './scenario.ts';
import { insertedBy, sorted } from './told.ts';

const scenario = await guestFor({ kernel: 'newer' });

scenario('on a kernel that unpacks modules itself, coldplug gives it the packed files', async (t, guest) => {
  t.is(await guest.run('cat /sys/module/compression'), 'xz');
  const before = [...(await guest.procModules()).keys()];
  await guest.startUsherd();
  const entries = await guest.history();
  const after = [...(await guest.procModules()).keys()];
  const inserted = entries.flatMap(insertedBy);
  t.deepEqual(sorted(after), sorted([...before, ...inserted]));
  const steps = entries.flatMap(({ deliberation }) => deliberation?.plans.flatMap(plan => plan.steps) ?? []);
  const paths = steps.flatMap(({ kind, path }) => (kind === 'insert' && path !== undefined ? [path] : []));
  t.true(paths.length > 0);
  t.deepEqual(
    paths.filter(path => !path.endsWith('.ko.xz')),
    [],
  );
});

for (const [device, bus, driver] of [
  ['usb-storage', 'usb', 'usb-storage'],
  ['usb-net', 'usb', 'cdc_ether'],
  ['usb-audio', 'usb', 'snd-usb-audio'],
  ['e1000e', 'pci', 'e1000e'],
  ['nvme', 'pci', 'nvme'],
  ['virtio-rng-pci', 'virtio', 'virtio_rng'],
] as const) {
  scenario(`${device}: ${driver} takes it, from a packed module`, async (t, guest) => {
    const plug = await guest.plug(device);
    const [bound] = await guest.expectBound(bus, driver);
    const [added] = await guest.storyOf(bound?.devpath ?? '', plug.fromSeqnum);
    t.deepEqual([added?.result, added?.binds.map(bind => bind.driver)], ['loaded', [driver]]);
    await guest.unplug(plug);
    await guest.expectNone(bus, driver);
  });
}

scenario('no module tainted the kernel: all were as Debian has signed them', async (t, guest) => {
  t.is(await guest.run('cat /proc/sys/kernel/tainted'), '0');
  t.deepEqual(
    [...(await guest.procModules()).values()].filter(({ taint }) => taint !== ''),
    [],
  );
});
