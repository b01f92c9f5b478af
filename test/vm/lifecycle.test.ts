import { DAEMON_PID } from './guest.ts';
import { beginTrying, BUS_ALIAS, makeDevice, offerDevice } from './made-device.ts';
import { guestFor } from './scenario.ts';
import { insertedBy } from './told.ts';

/** Times a device comes and goes. */
const FLAPS = 50;
/** Small enough that a handful of events fills it. */
const SMALL_BUFFER = '4KiB';
/** More events than such a buffer holds. */
const STORM_DEVICES = 200;

const scenario = await guestFor({
  testModules: true,
  files: { 'etc/modprobe.d/test.conf': [BUS_ALIAS, 'options usherd_slow ms=4000', ''].join('\n') },
});

scenario('many devices at once all get their drivers', async (t, guest) => {
  await guest.startUsherd();
  const wanted: readonly (readonly [device: string, bus: string, driver: string])[] = [
    ['usb-storage', 'usb', 'usb-storage'],
    ['usb-serial', 'usb', 'ftdi_sio'],
    ['usb-net', 'usb', 'cdc_ether'],
    ['usb-audio', 'usb', 'snd-usb-audio'],
    ['e1000e', 'pci', 'e1000e'],
    ['nvme', 'pci', 'nvme'],
    ['virtio-net-pci', 'virtio', 'virtio_net'],
    ['virtio-rng-pci', 'virtio', 'virtio_rng'],
    ['AC97', 'pci', 'snd_intel8x0'],
  ];
  const plugs = [];
  for (const [device] of wanted) plugs.push(await guest.plug(device));
  const bound = [];
  for (const [, bus, driver] of wanted) bound.push(...(await guest.expectBound(bus, driver)));
  const entries = await guest.history(`--from-seqnum ${plugs[0]?.fromSeqnum}`);
  t.deepEqual(
    entries.filter(({ state }) => state === 'open' || state === 'interrupted'),
    [],
  );
  t.deepEqual(
    entries.filter(({ result }) => result === 'refused' || result === 'failed'),
    [],
  );
  const binds = new Set(entries.flatMap(entry => entry.binds.map(({ devpath, driver }) => `${driver} ${devpath}`)));
  t.deepEqual(
    bound.filter(({ devpath, driver }) => !binds.has(`${driver} ${devpath}`)),
    [],
  );
  // However many asked for a module, the kernel was given it once.
  const inserted = (await guest.history()).flatMap(entry => entry.outcomes.filter(({ kind }) => kind === 'inserted'));
  const modules = await guest.procModules();
  t.deepEqual(
    inserted.filter(({ module }) => modules.get(module)?.state !== 'Live'),
    [],
  );
  for (const plug of plugs) await guest.unplug(plug);
});

scenario(
  `a mouse that is plugged in and out ${FLAPS} times, mostly too quickly, works in the end`,
  async (t, guest) => {
    const from = await guest.nextSeqnum();
    for (let n = 0; n < FLAPS; n += 1) {
      const plug = await guest.plug('usb-mouse', { port: '1' });
      // Waits of many lengths, so that it goes in each state there is: not seen yet, being numbered, being bound.
      await guest.run(`usleep ${(n * 7919) % 400_000}`);
      await guest.unplug(plug);
    }
    const plug = await guest.plug('usb-mouse', { port: '1' });
    const [mouse] = await guest.expectBound('hid', 'hid-generic');
    const entries = await guest.history(`--from-seqnum ${from}`);
    const stories = Map.groupBy(entries, ({ event }) => event.devpath);
    const own = stories.get((mouse?.devpath ?? '').replace(/\/[^/]+$/, '')) ?? [];
    const comings = own.map(({ event }) => event.action).filter(action => action === 'add' || action === 'remove');
    t.deepEqual(
      comings,
      comings.map((_, n) => (n % 2 === 0 ? 'add' : 'remove')),
    );
    t.is(comings.at(-1), 'add');
    t.deepEqual(
      entries.filter(({ state }) => state === 'open' || state === 'interrupted'),
      [],
    );
    t.deepEqual(own.at(-2)?.binds.map(({ driver }) => driver) ?? own.at(-1)?.binds, ['usbhid']);
    t.is(entries.flatMap(insertedBy).filter(module => module === 'usbhid').length, 1);
    await guest.unplug(plug);
  },
);

scenario(
  `a device that comes and goes ${FLAPS} times at once is in the ledger each time, in order`,
  async (t, guest) => {
    const from = await guest.nextSeqnum();
    await guest.run(
      `cd /sys/module/usherd_bus/parameters; n=0
     while [ $n -lt ${FLAPS} ]; do echo usherd-plain >add; echo usherd-plain >remove; n=$((n + 1)); done; echo usherd-plain >add`,
    );
    await guest.expectBound('platform', 'usherd_plain');
    const story = await guest.storyOf('/devices/platform/usherd-plain', from);
    const comings = story.map(({ event }) => event.action).filter(action => action === 'add' || action === 'remove');
    t.deepEqual(
      comings,
      Array.from({ length: 2 * FLAPS + 1 }, (_, n) => (n % 2 === 0 ? 'add' : 'remove')),
    );
    t.is(story.flatMap(insertedBy).filter(module => module === 'usherd_plain').length, 1);
    const losses = (await guest.incidents()).filter(({ incident }) => incident.kind !== 'taint-changed');
    t.deepEqual(losses, []);
  },
);

scenario('what happens while usherd is stopped is found at its next start', async (t, guest) => {
  const there = await guest.plug('usb-storage');
  const [stick] = await guest.expectBound('usb', 'usb-storage');
  await guest.stopUsherd();
  await guest.unplug(there);
  await guest.plug('usb-serial');
  await makeDevice(guest, 'usherd-late');
  await guest.expectNone('usb', 'usb-storage');
  await guest.startUsherd();
  await guest.expectBound('platform', 'usherd_late');
  const entries = await guest.history();
  const runs = [...new Set(entries.map(({ runId }) => runId))];
  t.is(runs.length, 2);
  const second = entries.filter(({ runId }) => runId === runs[1]);
  t.deepEqual(
    second.filter(({ event }) => event.devpath === stick?.devpath),
    [],
  );
  const late = second.find(({ event }) => event.devpath === '/devices/platform/usherd-late');
  t.deepEqual([late?.event.origin.kind, late?.result, insertedBy(late)], ['coldplug', 'loaded', ['usherd_late']]);
  t.true((await guest.incidents()).some(({ incident }) => incident.kind === 'shutdown'));
});

scenario(
  'a driver that tries a device without end holds up nothing else, neither its own event nor a coldplug',
  async (t, guest) => {
    const { devpath: trying, letGo } = await beginTrying(guest);
    // The kernel gives this file to nobody before the driver is done.
    await guest.run(`(cat /sys${trying}/uevent >/run/held) >/dev/null 2>&1 & usleep 500000; ! [ -s /run/held ]`);
    const [added] = await guest.history(`-d ${trying} -a add`);
    t.deepEqual(
      [added?.state, added?.result, added?.outcomes.map(({ kind }) => kind)],
      ['ended', 'already-loaded', ['already-loaded']],
    );
    t.regex(await guest.run(`usher why ${trying}`), /being tried: driver usherd_trying is at work on it/);
    await guest.plug('virtio-rng-pci');
    await guest.expectBound('virtio', 'virtio_rng');
    await guest.stopUsherd();
    await guest.beginUsherd();
    // Devices come in the order of their paths: these are told of after the one that is held back.
    const later = `-d /devices/virtual/mem/null -a add --boot 0 --json | grep '"origin":{"kind":"coldplug"}' | wc -l`;
    await guest.until(`[ "$(usher status >/dev/null && usher history -n 100 ${later})" = 3 ]`);
    t.is((await guest.history(`-d ${trying} -a bind`, { isRunning: false })).length, 0);
    await letGo();
    const [bound] = await guest.history(`-d ${trying} -a bind`);
    t.is(bound?.event.env['DRIVER'], 'usherd_trying');
    const told = await guest.history(`-d ${trying} -a add`);
    t.deepEqual(
      told.map(({ event }) => event.origin.kind),
      ['kernel', 'coldplug'],
    );
  },
);

scenario(
  'kill -9 in the middle of a load: the ledger says it was interrupted, and the next start finds the truth',
  async (t, guest) => {
    const { devpath } = await makeDevice(guest, 'usherd-slow');
    await guest.until('grep -q "^usherd_slow .* Loading" /proc/modules');
    await guest.run(`${DAEMON_PID}; kill -9 $pid; echo $pid >/run/killed`);
    // A process inside the kernel is gone only when that call has ended.
    await guest.until('! [ -d /proc/$(cat /run/killed) ]');
    const [interrupted] = await guest.history(`-d ${devpath}`, { isRunning: false });
    t.deepEqual([interrupted?.state, interrupted?.outcomes], ['interrupted', []]);
    await guest.startUsherd();
    await guest.expectBound('platform', 'usherd_slow');
    const story = await guest.history(`-d ${devpath}`);
    t.is(story[0]?.state, 'interrupted');
    const found = story.find(({ runId, event }) => runId !== story[0]?.runId && event.action === 'add');
    t.deepEqual([found?.event.origin.kind, found?.state, found?.result], ['coldplug', 'ended', 'already-loaded']);
  },
);

scenario(
  'when the kernel had to drop events usherd notices, looks through /sys and finds what was lost',
  async (t, guest) => {
    await guest.stopUsherd();
    await guest.startUsherd(`--receive-buffer ${SMALL_BUFFER}`);
    await guest.run(
      `${DAEMON_PID}; kill -STOP $pid
     echo usherd-storm ${STORM_DEVICES} >/sys/module/usherd_bus/parameters/storm
     echo usherd-lost >/sys/module/usherd_bus/parameters/add
     kill -CONT $pid`,
    );
    await guest.expectBound('platform', 'usherd_lost');
    const [found] = await guest.history('-d usherd-lost -a add');
    t.deepEqual([found?.event.origin.kind, found?.result, insertedBy(found)], ['resync', 'loaded', ['usherd_lost']]);
    const kinds = (await guest.incidents()).map(({ incident }) => incident.kind);
    t.true(kinds.includes('overrun'));
    const resync = (await guest.incidents()).find(({ incident }) => incident.kind === 'resync');
    t.like(resync?.incident, { because: 'overrun', added: 1 });
    // From here on it hears as before.
    t.is((await offerDevice(guest, 'usherd-optioned')).event.origin.kind, 'kernel');
  },
);
