import { chmodSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { definePlugin, deny, allow, type Hook, type Plugin } from '../../core/plugin-api/index.ts';
import test from 'ava';
import { testUnless } from '../support/skip-aloud.ts';
import { opiningPlugin, pluginWorld, stickAsks, STICK_ADDED, STICK_DEVICE } from '../support/plugin-world.ts';
import { parentDevpath } from '../../core/vocabulary/devpath.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';

const jailTest = testUnless(process.getuid?.() === 0 ? undefined : 'root is needed to give a plugin to nobody');

/** Plugins that come along, by what is in them. */
function bundled(
  ...plugins: readonly { readonly name: string }[]
): Record<string, () => Promise<{ readonly default: unknown }>> {
  return Object.fromEntries(plugins.map(plugin => [plugin.name, async () => ({ default: plugin })]));
}

const denier = (name: string, reason = name): Plugin =>
  definePlugin({ name, api: 1, hooks: [{ kind: 'opine', onError: 'deny', call: () => deny(reason) }] });

test('a plugin that comes along stays off until its file switches it on, and goes when it is switched off', async t => {
  const world = pluginWorld(t, { bundled: bundled(denier('guard')) });
  await world.host.load();
  t.deepEqual(await world.ask(), []);
  world.write('guard.toml', '');
  await world.host.load();
  t.deepEqual(await world.ask(), [
    { verdict: 'deny', module: moduleName('usb_storage'), by: 'plugin guard', reason: 'guard' },
  ]);
  world.write('guard.toml', 'enabled = false');
  await world.host.load();
  t.deepEqual(await world.ask(), []);
  t.deepEqual(
    world.incidents.map(({ kind }) => kind),
    ['plugin-loaded', 'plugin-unloaded'],
  );
});

test('plugins are called in the order of their numbers, then of their names', async t => {
  const calls: string[] = [];
  const noting = (name: string, order?: number): Plugin =>
    definePlugin({
      name,
      api: 1,
      ...(order === undefined ? {} : { order }),
      hooks: [{ kind: 'opine', onError: 'deny', call: () => void calls.push(name) }],
    });
  const plugins = bundled(noting('bravo'), noting('alpha'), noting('zulu', 10), noting('yankee'));
  const world = pluginWorld(t, { bundled: plugins });
  for (const name of ['alpha', 'bravo', 'zulu']) world.write(`${name}.toml`, '');
  world.write('yankee.toml', 'order = 1');
  await world.host.load();
  await world.ask();
  t.deepEqual(calls, ['yankee', 'zulu', 'alpha', 'bravo']);
});

test('a hook is called only for what its filter lets through', async t => {
  const calls: string[] = [];
  const hooks: Hook[] = [
    { kind: 'opine', onError: 'deny', filter: { module: ['usb_*'] }, call: ({ module }) => void calls.push(module) },
    { kind: 'opine', onError: 'deny', filter: { role: ['softdep'] }, call: ({ role }) => void calls.push(role) },
    { kind: 'opine', onError: 'deny', filter: { subsystem: ['pci'] }, call: () => void calls.push('pci') },
    { kind: 'observe', filter: { action: ['remove'] }, call: () => void calls.push('remove') },
    { kind: 'observe', filter: { action: ['add'], modalias: ['usb:v0951*'] }, call: () => void calls.push('add') },
  ];
  const world = pluginWorld(t, { bundled: bundled(definePlugin({ name: 'picky', api: 1, hooks })) });
  world.write('picky.toml', '');
  await world.host.load();
  await world.ask('usb_storage');
  await world.ask('uas');
  await world.host.opinions.opinionsOn(stickAsks('scsi_mod', 'softdep'));
  world.host.observe(STICK_ADDED);
  await pause(10);
  t.deepEqual(calls, ['usb_storage', 'softdep', 'add']);
});

test('settings that do not fit are told with their place in the table, and the plugin stays out', async t => {
  const strict = definePlugin({
    name: 'strict',
    api: 1,
    settings: {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: value =>
          (value as { list?: unknown }).list === undefined
            ? { issues: [{ message: 'wanted a list', path: ['list'] }] }
            : { value: undefined },
      },
    },
    hooks: [],
  });
  const world = pluginWorld(t, { bundled: bundled(strict) });
  world.write('strict.toml', '[settings]\nother = 1');
  await world.host.load();
  t.deepEqual(world.notices, ['error: plugin strict: its settings: list: wanted a list']);
  t.like(world.host.list()[0], { name: 'strict', state: 'refused' });
});

test('while a required plugin cannot run, everything is denied, and why', async t => {
  const broken = definePlugin({
    name: 'broken',
    api: 1,
    setup: () => {
      throw new Error('no way');
    },
  });
  const world = pluginWorld(t, { bundled: bundled(broken) });
  world.write('broken.toml', 'required = true');
  await world.host.load();
  t.deepEqual(
    (await world.ask()).map(({ verdict, reason }) => `${verdict}: ${reason}`),
    ['deny: it is required and does not run: its setup failed: no way'],
  );
});

test('five failures end in quarantine: what denies on error goes on denying, what abstains is silent, and a restart ends it', async t => {
  let isBroken = true;
  const answer = (): ReturnType<typeof deny> => {
    if (isBroken) throw new Error('broken');
    return allow('mended');
  };
  const plugins = bundled(
    definePlugin({ name: 'closed', api: 1, hooks: [{ kind: 'opine', onError: 'deny', call: answer }] }),
    definePlugin({ name: 'open', api: 1, hooks: [{ kind: 'opine', onError: 'abstain', call: answer }] }),
  );
  const world = pluginWorld(t, { bundled: plugins });
  world.write('closed.toml', '');
  world.write('open.toml', '');
  await world.host.load();
  for (let n = 0; n < 7; n++) t.is((await world.ask()).length, 1);
  t.deepEqual(
    world.host.list().map(({ state, hooks }) => [state, hooks[0]?.calls]),
    [
      ['quarantined', 5],
      ['quarantined', 5],
    ],
  );
  t.is(world.notices.filter(notice => notice.includes('failed too often')).length, 2);
  t.is(world.incidents.filter(({ kind }) => kind === 'plugin-quarantined').length, 2);
  isBroken = false;
  t.true(await world.host.restart('closed'));
  t.deepEqual(
    (await world.ask()).map(({ reason }) => reason),
    ['mended'],
  );
  t.false(await world.host.restart('nobody'));
});

test('a report hook hears of everything but of what its own plugin logs', async t => {
  const heard: string[] = [];
  const parrot = definePlugin({
    name: 'parrot',
    api: 1,
    setup: ({ log }) => [
      {
        kind: 'report',
        call: report => {
          heard.push(report.kind === 'notice' ? report.message : report.device.devpath);
          log.info('heard');
        },
      },
    ],
  });
  const notices: string[] = [];
  const world = pluginWorld(t, {
    bundled: bundled(parrot),
    notice: (level, message) => {
      notices.push(message);
      world.host.noticed(level, message);
    },
  });
  world.write('parrot.toml', '');
  await world.host.load();
  world.host.noticed('info', 'hello');
  world.host.handled({
    event: STICK_ADDED,
    device: STICK_DEVICE,
    candidates: [],
    decisions: [],
    plans: [],
    outcomes: [],
  });
  await pause(20);
  t.deepEqual(heard, ['hello', STICK_DEVICE.devpath]);
  t.deepEqual(notices, ['plugin parrot: heard', 'plugin parrot: heard']);
});

test('what is logged too much is counted, not shown', async t => {
  const chatty = definePlugin({
    name: 'chatty',
    api: 1,
    setup: ({ log }) => {
      for (let n = 0; n < 100; n++) log.info(`line ${n}`);
      return [];
    },
  });
  const world = pluginWorld(t, { bundled: bundled(chatty) });
  world.write('chatty.toml', '');
  await world.host.load();
  t.is(world.notices.length, 20);
});

test('a driver proposed for a device that has none is told once, and is in the record', async t => {
  const finder = definePlugin({
    name: 'finder',
    api: 1,
    hooks: [
      { kind: 'nomatch', call: () => ({ title: 'a driver', reason: 'it fits', command: 'usher driver install' }) },
    ],
  });
  const world = pluginWorld(t, { bundled: bundled(finder) });
  world.write('finder.toml', '');
  await world.host.load();
  const handled = { event: STICK_ADDED, device: STICK_DEVICE, candidates: [], decisions: [], plans: [], outcomes: [] };
  world.host.handled(handled);
  world.host.handled(handled);
  world.host.handled({ ...handled, device: { ...STICK_DEVICE, driver: 'usb-storage' } });
  await pause(20);
  t.deepEqual(
    world.incidents.filter(({ kind }) => kind === 'driver-proposed'),
    [
      {
        kind: 'driver-proposed',
        name: 'finder',
        devpath: STICK_DEVICE.devpath,
        modalias: STICK_DEVICE.modalias ?? '',
        title: 'a driver',
        reason: 'it fits',
        command: 'usher driver install',
      },
    ],
  );
});

test('a device whose modules are there and which no driver takes is asked about, too, and one that has a driver by then is not', async t => {
  const asked: string[] = [];
  const finder = definePlugin({
    name: 'finder',
    api: 1,
    hooks: [{ kind: 'nomatch', call: (_event, { devpath }) => void asked.push(devpath) }],
  });
  const world = pluginWorld(t, { bundled: bundled(finder), isDriven: devpath => devpath !== STICK_DEVICE.devpath });
  world.write('finder.toml', '');
  await world.host.load();
  const { candidate, module } = stickAsks();
  const inserted = { kind: 'inserted', module, tookMs: 1 } as const;
  const handled = { event: STICK_ADDED, device: STICK_DEVICE, candidates: [candidate], decisions: [], plans: [] };
  const parent = parentDevpath(STICK_DEVICE.devpath) ?? STICK_DEVICE.devpath;
  world.host.handled({ ...handled, device: { ...STICK_DEVICE, devpath: parent }, outcomes: [inserted] });
  world.host.handled({ ...handled, outcomes: [{ kind: 'skipped', module, reason: 'denied' }] });
  world.host.handled({ ...handled, outcomes: [inserted] });
  while (asked.length === 0) await pause(100);
  t.deepEqual(asked, [STICK_DEVICE.devpath]);
});

test('when a mailbox is full the newest calls are dropped, and that is said once', async t => {
  let open: (() => void) | undefined;
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  const slow = definePlugin({ name: 'slow', api: 1, hooks: [{ kind: 'observe', call: () => gate }] });
  const world = pluginWorld(t, { bundled: bundled(slow) });
  world.write('slow.toml', '');
  await world.host.load();
  for (let n = 0; n < 2000; n++) world.host.observe(STICK_ADDED);
  t.is(world.host.list()[0]?.dropped, 2000 - 1024);
  t.deepEqual(
    world.notices.filter(notice => notice.startsWith('limit')),
    ['limit: calls waiting for plugin slow 1024'],
  );
  open?.();
});

jailTest('a file in the folder just works, and is replaced when it changes without an answer being lost', async t => {
  const world = pluginWorld(t);
  world.write('local.ts', opiningPlugin('local', `return deny('first');`));
  await world.host.load();
  world.write('local.ts', opiningPlugin('local', `return deny('second');`));
  const reasons: string[] = [];
  const loaded = new AbortController();
  const asking = (async () => {
    while (!loaded.signal.aborted) reasons.push((await world.ask()).map(({ reason }) => reason).join());
  })();
  await world.host.load();
  loaded.abort();
  await asking;
  reasons.push((await world.ask()).map(({ reason }) => reason).join());
  t.deepEqual([...new Set(reasons)], ['first', 'second']);
  const loads = world.incidents.flatMap(incident => (incident.kind === 'plugin-loaded' ? [incident] : []));
  t.is(loads.length, 2);
  t.is(loads[1]?.before, loads[0]?.hash);
  t.deepEqual(loads[1]?.changes, ['~local.ts']);
});

jailTest('a change that cannot be loaded leaves the one from before, and says so', async t => {
  const world = pluginWorld(t);
  world.write('local.ts', opiningPlugin('local', `return deny('good');`));
  await world.host.load();
  world.write('local.ts', 'export default {{{');
  await world.host.load();
  t.deepEqual(
    (await world.ask()).map(({ reason }) => reason),
    ['good'],
  );
  t.true(world.notices.some(notice => notice.includes('the one from before runs on')));
  world.remove('local.ts');
  await world.host.load();
  t.deepEqual(await world.ask(), []);
});

jailTest('what a plugin stores outlives it', async t => {
  const world = pluginWorld(t);
  const body = `const seen = ((await store.get('seen')) ?? 0) + 1; await store.set('seen', seen); return deny('seen ' + seen);`;
  world.write('counter.ts', opiningPlugin('counter', body));
  await world.host.load();
  t.is((await world.ask())[0]?.reason, 'seen 1');
  await world.host.restart('counter');
  t.is((await world.ask())[0]?.reason, 'seen 2');
});

jailTest('what a plugin needs has to be granted by name', async t => {
  const world = pluginWorld(t);
  const body = `await actions.overrideDriver('/devices/x', 'vfio-pci'); return deny('done');`;
  world.write('mover.ts', opiningPlugin('mover', body, { more: `needs: ['drivers'],` }));
  world.write('sly.ts', opiningPlugin('sly', body));
  await world.host.load();
  t.deepEqual(
    world.host.list().map(({ name, state }) => `${name} ${state}`),
    ['mover refused', 'sly running'],
  );
  t.true(world.notices.some(notice => notice.includes('grant = ["drivers"]')));
  t.regex((await world.ask())[0]?.reason ?? '', /was not granted "drivers"/);
  world.write('mover.toml', 'grant = ["drivers"]');
  await world.host.load();
  t.true((await world.ask()).some(({ by, reason }) => by === 'plugin mover' && reason === 'done'));
  t.true(world.notices.includes('override /devices/x vfio-pci'));
});

jailTest('a plugin calls its cleaning up before it ends, with the reason', async t => {
  const world = pluginWorld(t);
  world.write(
    'tidy.ts',
    `import { definePlugin } from 'usherd/plugin';
     export default definePlugin({ name: 'tidy', api: 1, setup({ onStop, store }) { onStop(reason => store.set('reason', reason)); return []; } });`,
  );
  world.write('tell.ts', opiningPlugin('tell', `return deny('x');`));
  await world.host.load();
  world.write('tidy.toml', 'enabled = false');
  await world.host.load();
  world.write('tidy.ts', opiningPlugin('tidy', `return deny(String(await store.get('reason')));`));
  world.write('tidy.toml', '');
  await world.host.load();
  t.true((await world.ask()).some(({ reason }) => reason === 'removed'));
});

jailTest('a package that declares a plugin is found, and runs once it is switched on', async t => {
  const world = pluginWorld(t);
  const at = '../node_modules/usherd-plugin-packed';
  world.write(`${at}/package.json`, JSON.stringify({ type: 'module', usherd: { plugin: './index.js' } }));
  world.write(`${at}/index.js`, opiningPlugin('packed', `return deny('from a package');`));
  world.write('../node_modules/other/package.json', '{}');
  await world.host.load();
  t.like(world.host.list()[0], { name: 'packed', origin: 'package', state: 'off' });
  world.write('packed.toml', '');
  await world.host.load();
  t.is((await world.ask())[0]?.reason, 'from a package');
});

jailTest('a plugin that somebody else could have written is refused', async t => {
  const world = pluginWorld(t);
  world.write('loose.ts', opiningPlugin('loose', `return deny('x');`));
  chmodSync(path.join(world.configDir, 'plugins/loose.ts'), 0o666);
  await world.host.load();
  t.like(world.host.list()[0], { state: 'refused' });
  t.regex(world.host.list()[0]?.because ?? '', /mode 0666: others than its owner may write/);
});

test('a link to /dev/null switches a plugin of a weaker folder off', async t => {
  const world = pluginWorld(t);
  symlinkSync('/dev/null', path.join(world.configDir, 'plugins/masked.ts'));
  await world.host.load();
  t.deepEqual(world.host.list(), []);
});
