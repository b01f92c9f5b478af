import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { replaceWith, type PluginDevice } from '../../core/plugin-api/index.ts';
import { startPlugin, type TriedPlugin, type TryOptions } from '../../core/plugin-host/try-plugin.ts';
import driverOverride from '../../plugins/driver-override/index.ts';

const graphics: PluginDevice = {
  devpath: '/devices/pci0000:00/0000:00:01.0/0000:01:00.0',
  subsystem: 'pci',
  modalias: 'pci:v000010DEd00001B80sv00001043sd00008597bc03sc00i00',
  driver: 'nouveau',
  attributes: { driver_override: '(null)' },
};
const network: PluginDevice = {
  devpath: '/devices/pci0000:00/0000:00:03.0',
  subsystem: 'pci',
  modalias: 'pci:v00008086d0000100Esv0sd0bc02sc00i00',
  driver: 'e1000',
  attributes: { driver_override: '(null)' },
};
const vfio = { devices: [{ id: '10de:1b80', driver: 'vfio-pci' }] };

function kept(device: PluginDevice, driver = 'vfio-pci'): PluginDevice {
  return { ...device, driver, attributes: { driver_override: driver } };
}

/** What is there is gone through only once the plugin is being called. */
async function started(options: TryOptions): Promise<TriedPlugin> {
  const plugin = await startPlugin(driverOverride, options);
  await turn();
  return plugin;
}

const doIt = { kind: 'overrideDriver', devpath: graphics.devpath, driver: 'vfio-pci' } as const;
const undoIt = { ...doIt, driver: undefined };
const done = { [`override:${graphics.devpath}`]: { driver: 'vfio-pci' } };

test('a device that is there at the start is kept for its driver, and that is remembered', async t => {
  const plugin = await started({ settings: vfio, devices: [network, graphics] });
  t.deepEqual(plugin.actions, [doIt]);
  t.deepEqual(Object.fromEntries(plugin.store), done);
  t.deepEqual(plugin.log, [`info: ${graphics.devpath} is kept for vfio-pci, it had nouveau`]);
});

test('a device that comes later is kept as well, another is not, and one that went is forgotten', async t => {
  const plugin = await started({ settings: vfio });
  plugin.devices = [network, { ...graphics, attributes: { driver_override: '' } }];
  for (const { devpath, subsystem, modalias = '' } of plugin.devices)
    await plugin.observe({ action: 'add', devpath, subsystem, env: { MODALIAS: modalias } });
  t.deepEqual(plugin.actions, [doIt]);
  t.deepEqual(Object.fromEntries(plugin.store), done);
  plugin.devices = [network];
  await plugin.observe({ action: 'remove', devpath: network.devpath, subsystem: 'pci' });
  t.deepEqual(Object.fromEntries(plugin.store), done);
  await plugin.observe({ action: 'remove', devpath: graphics.devpath, subsystem: 'pci' });
  t.deepEqual([...plugin.store], []);
  t.deepEqual(plugin.actions, [doIt]);
});

test('a device that has its driver already is left alone, however often it is told of', async t => {
  const devices = [kept(graphics)];
  const plugin = await started({ settings: vfio, devices, store: done });
  const { devpath, subsystem, modalias = '' } = graphics;
  await plugin.observe({ action: 'add', devpath, subsystem, env: { MODALIAS: modalias } });
  t.deepEqual(plugin.actions, []);
});

test('a device that is kept and has no driver yet is not asked to ask again', async t => {
  const { driver: _, ...waiting } = kept(graphics);
  const plugin = await started({ settings: vfio, devices: [waiting], store: done });
  const { devpath, subsystem, modalias = '' } = graphics;
  await plugin.observe({ action: 'add', devpath, subsystem, env: { MODALIAS: modalias } });
  t.deepEqual(plugin.actions, []);
});

test('in place of the module the device would get, that of the driver is loaded', async t => {
  const plugin = await started({ settings: vfio });
  const verdict = replaceWith('vfio_pci', 'the device is kept for vfio-pci');
  t.deepEqual(await plugin.opine({ module: 'nouveau', device: graphics }), verdict);
  t.is(await plugin.opine({ module: 'vfio_pci', device: graphics }), undefined);
  t.is(await plugin.opine({ module: 'drm', role: 'dependency', device: graphics }), undefined);
  t.is(await plugin.opine({ module: 'e1000', device: network }), undefined);
  t.is(await plugin.opine({ module: 'nouveau', asker: { kind: 'administrator', name: 'nouveau', uid: 0 } }), undefined);
  const named = { devices: [{ id: '10de:1b80', driver: 'stub', module: 'pci-stub' }] };
  const other = await started({ settings: named });
  t.deepEqual(
    await other.opine({ module: 'nouveau', device: graphics }),
    replaceWith('pci_stub', 'the device is kept for stub'),
  );
});

test('devices are named by path, modalias, id or address, and all that is named must be so', async t => {
  const ways: readonly (readonly [entry: object, matches: boolean])[] = [
    [{ devpath: '/devices/pci0000:00/*/0000:01:00.0' }, true],
    [{ modalias: 'pci:v000010DEd*bc03*' }, true],
    [{ id: '10DE:1B80' }, true],
    [{ address: '0000:01:00.0' }, true],
    [{ address: '0000:01:00.?', id: '10de:1b80', devpath: '/devices/*' }, true],
    [{ address: '0000:01:00.0', id: '10de:1b81' }, false],
    [{ address: '01:00.0' }, false],
    [{ devpath: '/devices/pci0000:00' }, false],
  ];
  for (const [entry, matches] of ways) {
    const settings = { devices: [{ ...entry, driver: 'vfio-pci' }] };
    const atStart = await started({ settings, devices: [graphics] });
    t.deepEqual(atStart.actions, matches ? [doIt] : [], JSON.stringify(entry));
    const later = await started({ settings });
    later.devices = [graphics];
    const { devpath, subsystem, modalias = '' } = graphics;
    await later.observe({ action: 'add', devpath, subsystem, env: { MODALIAS: modalias } });
    t.deepEqual(later.actions, matches ? [doIt] : [], JSON.stringify(entry));
    const verdict = await later.opine({ module: 'nouveau', device: graphics });
    t.is(verdict?.verdict, matches ? 'replace' : undefined, JSON.stringify(entry));
  }
});

test('an entry that is gone from the settings is undone at the next start, unless somebody else came before', async t => {
  const gone = await started({ devices: [kept(graphics)], store: done });
  t.deepEqual(gone.actions, [undoIt]);
  t.deepEqual([...gone.store], []);

  const theirs = await started({ devices: [kept(graphics, 'pci-stub')], store: done });
  t.deepEqual(theirs.actions, []);
  t.deepEqual([...theirs.store], []);

  const unplugged = await started({ devices: [network], store: done });
  t.deepEqual(unplugged.actions, []);
  t.deepEqual([...unplugged.store], []);
});

test('after a start of the machine nothing is left to undo, and what is wanted is done again', async t => {
  const fresh = await started({ devices: [graphics], store: done });
  t.deepEqual(fresh.actions, []);
  const wanted = await started({ settings: vfio, devices: [graphics], store: done });
  t.deepEqual(wanted.actions, [doIt]);
});

test('removing the plugin gives the devices back, a shutdown or new settings do not', async t => {
  const start = (): Promise<TriedPlugin> => started({ settings: vfio, devices: [kept(graphics)], store: done });
  for (const reason of ['shutdown', 'replaced'] as const) {
    const plugin = await start();
    await plugin.stop(reason);
    t.deepEqual(plugin.actions, []);
    t.deepEqual(Object.fromEntries(plugin.store), done);
  }
  const removed = await start();
  await removed.stop('removed');
  t.deepEqual(removed.actions, [undoIt]);
  t.deepEqual([...removed.store], []);
});

test("somebody else's override is put back when ours ends", async t => {
  const before = { ...graphics, attributes: { driver_override: 'pci-stub' } };
  const plugin = await started({ settings: vfio, devices: [before] });
  plugin.devices = [kept(graphics)];
  await plugin.stop('removed');
  t.deepEqual(plugin.actions, [doIt, { ...doIt, driver: 'pci-stub' }]);
});

test('a bus without driver_override is told of, and nothing is remembered', async t => {
  const plugin = await started({ settings: vfio, devices: [graphics], grants: [] });
  t.deepEqual(plugin.log, [`warn: ${graphics.devpath} cannot be kept for vfio-pci: it was not granted "drivers"`]);
  t.deepEqual([...plugin.store], []);
});

test('entries that would take every device, or name no driver, are refused', async t => {
  const refusals: readonly (readonly [entry: object, why: RegExp])[] = [
    [{ driver: 'vfio-pci' }, /it names no devpath, modalias, id or address, and would take every device/],
    [{ id: '10de', driver: 'vfio-pci' }, /devices\.0\.id: wanted VENDOR:DEVICE/],
    [{ id: '10de:1b80' }, /devices\.0\.driver/],
    [{ id: '10de:1b80', driver: '../x' }, /devices\.0\.driver: wanted the name of a driver/],
    [{ devpath: 'pci0000:00', driver: 'vfio-pci' }, /devices\.0\.devpath: wanted a path below \/sys/],
  ];
  for (const [entry, why] of refusals)
    await t.throwsAsync(started({ settings: { devices: [entry] } }), { message: why });
});
