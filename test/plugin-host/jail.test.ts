import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { opiningPlugin, pluginWorld, type PluginWorld } from '../support/plugin-world.ts';
import { testUnless } from '../support/skip-aloud.ts';

const isRoot = process.getuid?.() === 0;
const jailTest = testUnless(isRoot ? undefined : 'root is needed to give a plugin to nobody', { isSerial: true });

/** A plugin that tries something once it is asked, and denies with what came of it. */
async function tries(world: PluginWorld, name: string, attempt: string, settings = ''): Promise<string> {
  const body = `try { return deny(String(await (async () => { ${attempt} })())); } catch (error) { return deny(String(error.code ?? error.message)); }`;
  world.write(`${name}.ts`, opiningPlugin(name, body));
  if (settings !== '') world.write(`${name}.toml`, settings);
  await world.host.load();
  return (await world.ask()).flatMap(({ by, reason }) => (by === `plugin ${name}` ? [reason] : [])).join();
}

const REFUSED = /^(EACCES|EPERM|ENOENT|ENETUNREACH|ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED)$/;

const ATTEMPTS: Readonly<Record<string, string>> = {
  'read a file of the system': `return (await import('node:fs')).readFileSync('/etc/hostname', 'utf8');`,
  'list a folder': `return (await import('node:fs')).readdirSync('/etc').length;`,
  'write a file': `(await import('node:fs')).writeFileSync('/tmp/usherd-plugin-was-here', ''); return 'written';`,
  'run a program': `return (await import('node:child_process')).execFileSync('/bin/true').length;`,
  'load a native addon': `process.dlopen({ exports: {} }, '/usr/lib/libc.so.6'); return 'loaded';`,
  'see other processes': `return (await import('node:fs')).readdirSync('/proc').length;`,
};

for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  jailTest(`a plugin cannot ${what}`, async t => {
    t.regex(await tries(pluginWorld(t), 'curious', attempt), REFUSED);
  });
}

jailTest('a plugin is nobody, alone in its namespace, without a capability', async t => {
  const said = await tries(
    pluginWorld(t),
    'who',
    `return [process.getuid(), process.getgid(), process.getgroups().join('+'), process.pid, Object.keys(process.env).join('+')].join(' ');`,
  );
  t.is(said, '65534 65534 65534 1 OPENSSL_CONF');
});

jailTest('a plugin cannot reach the network, and can when it was granted', async t => {
  const server = createServer(socket => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const attempt = `const net = await import('node:net'); const socket = net.connect(${port}, '127.0.0.1');
    return await new Promise((resolve, reject) => socket.on('error', reject).on('data', data => resolve(data + '')));`;
  t.regex(await tries(pluginWorld(t), 'caller', attempt), REFUSED);
  t.is(await tries(pluginWorld(t), 'caller', attempt, 'grant = ["net"]'), 'hello');
});

jailTest('a plugin reads what it was granted, and nothing beside it', async t => {
  const world = pluginWorld(t);
  const file = path.join(world.configDir, 'list.txt');
  writeFileSync(file, 'on the list', { mode: 0o644 });
  const attempt = (name: string): string => `return (await import('node:fs')).readFileSync('${name}', 'utf8');`;
  const grant = `grant = ["read:${file}"]`;
  t.is(await tries(world, 'reader', attempt(file), grant), 'on the list');
  t.regex(await tries(world, 'other', attempt(path.join(world.configDir, 'plugins/reader.toml')), grant), REFUSED);
});

/** Long enough for what answers at all, also on a machine with much to do. */
const LATE_MS = 500;

/** Ways to go wrong: what the plugin does when it is asked, and what is said of it. */
const FAULTS: Readonly<Record<string, { readonly body: string; readonly says: RegExp }>> = {
  throws: { body: `throw new Error('oh no');`, says: /oh no/ },
  crashes: { body: `process.abort();`, says: /process (ended|was killed)/ },
  exits: { body: `process.exit(3);`, says: /process ended with 3/ },
  'hangs for ever': { body: `for (;;);`, says: /did not answer within 500 ms/ },
  'never answers': { body: `return new Promise(() => undefined);`, says: /did not answer within 500 ms/ },
  'eats memory for objects': {
    body: `const eaten = []; for (;;) eaten.push({ a: eaten.length, b: [String(eaten.length)] });`,
    says: /did not answer within 500 ms|process (ended|was killed)/,
  },
  'eats memory for buffers': {
    body: `const eaten = []; for (;;) eaten.push(Buffer.alloc(16_000_000, 1));`,
    says: /memory|did not answer within 500 ms|process (ended|was killed)/i,
  },
  'floods with lines': {
    body: `for (let n = 0; n < 5000; n++) log.info('line ' + n); return new Promise(() => undefined);`,
    says: /lines in a second/,
  },
  'sends an endless line': {
    body: `const fs = await import('node:fs'); for (let n = 0; n < 100; n++) try { fs.writeSync(3, 'x'.repeat(60_000)); } catch { n -= 1; } return new Promise(() => undefined);`,
    says: /line of more than/,
  },
  'sends garbage': {
    body: `const fs = await import('node:fs'); fs.writeSync(3, 'no json\\n'); return new Promise(() => undefined);`,
    says: /no message/,
  },
  'answers a number': { body: `return 7;`, says: /it answered 7, which is no verdict/ },
  'answers a verdict there is none of': {
    body: `return { verdict: 'maybe', reason: 'x' };`,
    says: /it answered the verdict "maybe"/,
  },
  'answers without a reason': { body: `return { verdict: 'deny' };`, says: /without a reason/ },
  'replaces by what is no module': {
    body: `return { verdict: 'replace', module: '../../evil', reason: 'x' };`,
    says: /which is no module's name/,
  },
};

for (const [fault, { body, says }] of Object.entries(FAULTS)) {
  jailTest(`a plugin that ${fault} is contained, and its onError is the verdict`, async t => {
    const world = pluginWorld(t);
    world.write('strict.ts', opiningPlugin('strict', body, { onError: 'deny', deadlineMs: LATE_MS }));
    world.write('mild.ts', opiningPlugin('mild', body, { onError: 'abstain', deadlineMs: LATE_MS }));
    await world.host.load();
    const opinions = await world.ask();
    t.deepEqual(
      opinions.map(({ verdict, by }) => `${verdict} by ${by}`),
      ['deny by plugin strict'],
    );
    t.regex(opinions[0]?.reason ?? '', says);
    t.true(world.incidents.some(({ kind }) => kind === 'plugin-failed'));
  });
}

jailTest('a plugin whose process ended is started again, and answers', async t => {
  const world = pluginWorld(t);
  world.write(
    'phoenix.ts',
    opiningPlugin(
      'phoenix',
      `if (await store.get('died') === undefined) { await store.set('died', true); process.abort(); } return deny('risen');`,
    ),
  );
  await world.host.load();
  t.regex((await world.ask())[0]?.reason ?? '', /process/);
  while (world.host.list()[0]?.state !== 'running') await pause(20);
  t.deepEqual(
    (await world.ask()).map(({ reason }) => reason),
    ['risen'],
  );
});

jailTest('a plugin that spins between calls is found, ended and started again', async t => {
  const world = pluginWorld(t);
  world.write(
    'spinner.ts',
    opiningPlugin('spinner', `setTimeout(() => { for (;;); }, 1); return deny('fine');`, { deadlineMs: 2 * LATE_MS }),
  );
  await world.host.load();
  t.is((await world.ask())[0]?.reason, 'fine');
  await pause(50);
  t.regex((await world.ask())[0]?.reason ?? '', /did not answer/);
  const isEnded = (): boolean => world.notices.some(notice => notice.includes('does not answer any more'));
  while (!isEnded()) await pause(20);
  while (world.host.list()[0]?.state !== 'running') await pause(20);
  t.is((await world.ask())[0]?.reason, 'fine');
});

jailTest('memory is bounded: a plugin that holds on to buffers is refused more by the kernel', async t => {
  const said = await tries(
    pluginWorld(t),
    'glutton',
    `const eaten = []; try { for (;;) eaten.push(Buffer.alloc(8_000_000, 1)); } catch { return eaten.length < 64 ? 'bounded' : 'ate ' + eaten.length; }`,
  );
  t.regex(said, /bounded|did not answer|process/);
});
