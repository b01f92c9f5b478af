import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import test from 'ava';
import * as fc from 'fast-check';
import type { PluginDevice, PluginHandled } from '../../core/plugin-api/index.ts';
import { startPlugin, type TriedPlugin } from '../../core/plugin-host/try-plugin.ts';
import { TrackedModules } from '../../plugins/unload-unused/tracked-modules.ts';
import unloadUnused from '../../plugins/unload-unused/index.ts';

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
const card: PluginDevice = { devpath: '/devices/pci0000:00/0000:00:05.0', subsystem: 'pci' };
const twin: PluginDevice = { devpath: '/devices/pci0000:00/0000:00:06.0', subsystem: 'pci' };
/** 6 ms, so that a test is not kept waiting. */
const SOON_MINUTES = 0.0001;

type Outcomes = PluginHandled['outcomes'];

function handled(
  device: PluginDevice,
  outcomes: Outcomes,
  receivedAtMs = Date.now(),
): { readonly kind: 'handled' } & PluginHandled {
  const { devpath, subsystem } = device;
  const event = { action: 'add', devpath, subsystem, env: {}, origin: 'kernel', receivedAtMs } as const;
  return { kind: 'handled', event, device, candidates: [], decisions: [], outcomes };
}

const inserted: Outcomes = [
  { module: 'mii', kind: 'inserted' },
  { module: 'e100', kind: 'inserted' },
];

async function untilActions(plugin: TriedPlugin, count: number): Promise<void> {
  while (plugin.actions.length < count) await pause(2);
  await turn();
}

const gone = ({ devpath, subsystem }: PluginDevice): Parameters<TriedPlugin['observe']>[0] => ({
  action: 'remove',
  devpath,
  subsystem,
});

test('modules go when their last device has gone, the one loaded last first', async t => {
  const plugin = await startPlugin(unloadUnused, { settings: { after_minutes: SOON_MINUTES } });
  await plugin.report(handled(card, inserted));
  await plugin.report(handled(twin, [{ module: 'e100', kind: 'already-loaded' }]));
  await plugin.observe(gone(card));
  await untilActions(plugin, 1);
  t.deepEqual(plugin.actions, [{ kind: 'unload', module: 'mii' }]);
  await plugin.observe(gone(twin));
  await untilActions(plugin, 2);
  t.deepEqual(plugin.actions[1], { kind: 'unload', module: 'e100' });
  t.deepEqual(plugin.store.get('modules'), { bootId, modules: [] });
  await plugin.report(handled(card, inserted));
  await plugin.observe(gone(card));
  await untilActions(plugin, 4);
  t.deepEqual(plugin.actions.slice(2), [
    { kind: 'unload', module: 'e100' },
    { kind: 'unload', module: 'mii' },
  ]);
});

test('what goes along with a module is not asked for again', async t => {
  const unload = (): { readonly unloaded: readonly string[] } => ({ unloaded: ['e100', 'mii'] });
  const plugin = await startPlugin(unloadUnused, { settings: { after_minutes: SOON_MINUTES }, unload });
  await plugin.report(handled(card, inserted));
  await plugin.observe({ ...gone(card), action: 'unbind' });
  await untilActions(plugin, 1);
  while (plugin.log.length === 0) await turn();
  t.deepEqual(plugin.actions, [{ kind: 'unload', module: 'e100' }]);
  t.deepEqual(plugin.log, ['info: removed e100, mii: no device has used it for a while']);
});

test('one that is in use is asked for again after the same time, and stays until then', async t => {
  const answers = [{ refused: 'e100 is in use by eth0' }, { unloaded: ['e100'] }];
  const plugin = await startPlugin(unloadUnused, {
    settings: { after_minutes: SOON_MINUTES },
    unload: () => answers.shift() ?? { unloaded: [] },
  });
  await plugin.report(handled(card, [{ module: 'e100', kind: 'inserted' }]));
  await plugin.observe(gone(card));
  await untilActions(plugin, 2);
  while (plugin.log.length < 2) await turn();
  t.deepEqual(plugin.log, [
    'info: e100 stays for now: e100 is in use by eth0',
    'info: removed e100: no device has used it for a while',
  ]);
});

test('nobody is asked to remove what usherd did not load, what is kept, and what has a device', async t => {
  const plugin = await startPlugin(unloadUnused, { settings: { after_minutes: 10, keep: ['snd-*'] } });
  await plugin.report(handled(card, [{ module: 'e1000', kind: 'already-loaded' }]));
  await plugin.report(handled(card, [{ module: 'snd_hda_intel', kind: 'inserted' }]));
  await plugin.report(handled(card, [{ module: 'e100', kind: 'refused', why: 'ENOEXEC' }]));
  await plugin.report(handled(twin, [{ module: 'virtio_net', kind: 'inserted' }]));
  await plugin.observe(gone(card));
  t.deepEqual(plugin.store.get('modules'), { bootId, modules: [{ module: 'virtio_net', devices: [twin.devpath] }] });
  await plugin.stop();
});

test('a device that went while its module was loaded is not waited for', async t => {
  const plugin = await startPlugin(unloadUnused, { settings: { after_minutes: SOON_MINUTES } });
  const cameAtMs = Date.now() - 1000;
  await plugin.observe(gone(card));
  await plugin.report(handled(card, [{ module: 'e100', kind: 'inserted' }], cameAtMs));
  await untilActions(plugin, 1);
  t.deepEqual(plugin.actions, [{ kind: 'unload', module: 'e100' }]);
});

test('a restart forgets nothing, but for devices that went meanwhile; another boot forgets all', async t => {
  const modules = [
    { module: 'e100', devices: [card.devpath] },
    { module: 'virtio_net', devices: [twin.devpath] },
  ];
  const settings = { after_minutes: SOON_MINUTES };
  const store = { modules: { bootId, modules } };
  const plugin = await startPlugin(unloadUnused, { settings, store, devices: [twin] });
  await untilActions(plugin, 1);
  t.deepEqual(plugin.actions, [{ kind: 'unload', module: 'e100' }]);
  const later = await startPlugin(unloadUnused, { settings, store: { modules: { bootId: 'another', modules } } });
  t.deepEqual(later.store.get('modules'), { bootId, modules: [] });
  const damaged = await startPlugin(unloadUnused, { settings, store: { modules: 'what?' } });
  t.deepEqual(damaged.store.get('modules'), { bootId, modules: [] });
});

test('settings are checked', async t => {
  for (const minutes of [0, -1, 1441, '10'])
    await t.throwsAsync(startPlugin(unloadUnused, { settings: { after_minutes: minutes } }), {
      message: /after_minutes/,
    });
});

test('a module is due exactly when all devices it has were released', t => {
  const step = fc.record({
    use: fc.boolean(),
    module: fc.constantFrom('a', 'b'),
    device: fc.constantFrom('1', '2', '3'),
  });
  fc.assert(
    fc.property(fc.array(step), steps => {
      const book = new TrackedModules();
      const model = new Map<string, Set<string>>();
      for (const [at, { use, module, device }] of steps.entries()) {
        if (use) book.inserted(module, device, at + 1, at + 1);
        else book.released(device, at + 1);
        if (use) model.set(module, (model.get(module) ?? new Set()).add(device));
        else for (const devices of model.values()) devices.delete(device);
      }
      const wanted = [...model].filter(([, devices]) => devices.size === 0).map(([module]) => module);
      t.deepEqual(book.due(steps.length + 1, 0).toSorted(), wanted.toSorted());
    }),
  );
});
