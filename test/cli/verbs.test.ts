import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { VERBS } from '../../core/cli/verbs.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { jsonLines, usher } from '../support/usher.ts';

const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');

/** A small machine: a bus, a card with a modalias that card.ko claims, one bound, one that nothing claims. */
function machine(): readonly string[] {
  const root = mkdtempSync(path.join(os.tmpdir(), 'usherd-machine-'));
  const put = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  put('sys/devices/pci0/uevent', 'SUBSYSTEM=pci_bus\n');
  put('sys/devices/pci0/0000:00:01.0/uevent', 'SUBSYSTEM=pci\nMODALIAS=pci:v00001234d00000001\n');
  put('sys/devices/pci0/0000:00:02.0/uevent', 'SUBSYSTEM=pci\nDRIVER=card\nMODALIAS=pci:v00001234d00000002\n');
  put('sys/devices/pci0/0000:00:03.0/uevent', 'SUBSYSTEM=pci\nMODALIAS=pci:v0000ABCDd00000003\n');
  put('lib/modules/6.1.0-test/modules.dep', 'kernel/card.ko:\n');
  put('lib/modules/6.1.0-test/modules.alias', 'alias pci:v00001234d* card\n');
  return ['--root', root, '--kernel', '6.1.0-test'];
}

test('devices are a table of those that say what they are, in five states', async t => {
  const on = machine();
  const { stdout } = await usher('devices', ...on);
  t.is(
    stdout,
    `DEVICE                      SUBSYSTEM  DRIVER  MODULES  STATE
/devices/pci0/0000:00:01.0  pci                card     not loaded
/devices/pci0/0000:00:02.0  pci        card    card     bound
/devices/pci0/0000:00:03.0  pci                         no module
`,
  );
  const states = jsonLines<{ state: string }>(await usher('devices', '--all', '--json', ...on)).map(
    ({ state }) => state,
  );
  t.deepEqual(states, ['no-modalias', 'matched-not-loaded', 'bound', 'no-module']);
});

test('devices can be drawn as a tree and asked for by name, pattern and state', async t => {
  const on = machine();
  t.is(
    (await usher('devices', '--tree', ...on)).stdout,
    `/devices/pci0 (pci_bus)
├─ 0000:00:01.0 (pci) not loaded: card
├─ 0000:00:02.0 (pci) driver card
└─ 0000:00:03.0 (pci) no module
`,
  );
  const names = async (...words: readonly string[]): Promise<readonly string[]> =>
    jsonLines<{ device: { devpath: string } }>(await usher('devices', '--json', ...words, ...on)).map(
      ({ device }) => device.devpath,
    );
  t.deepEqual(await names('0000:00:03.0'), ['/devices/pci0/0000:00:03.0']);
  t.deepEqual(await names('/sys/devices/pci0/0000:00:0[12].0'), [
    '/devices/pci0/0000:00:01.0',
    '/devices/pci0/0000:00:02.0',
  ]);
  t.deepEqual(await names('--state', 'no-module'), ['/devices/pci0/0000:00:03.0']);
  t.is((await usher('devices', 'nowhere', ...on)).status, 1);
});

test('a trigger that is only shown names the devices it means, parents first, and triggers none', async t => {
  const on = machine();
  t.is(
    (await usher('trigger', '-n', ...on)).stdout,
    '/devices/pci0\n/devices/pci0/0000:00:01.0\n/devices/pci0/0000:00:02.0\n/devices/pci0/0000:00:03.0\n',
  );
  t.is((await usher('trigger', '-n', '-s', 'pci', '*:03.0', ...on)).stdout, '/devices/pci0/0000:00:03.0\n');
  t.is(readFileSync(path.join(String(on[1]), 'sys/devices/pci0/uevent'), 'utf8'), 'SUBSYSTEM=pci_bus\n');
});

testUnless(whyNoRealUevents())('what is recorded while real events come can be replayed, event by event', async t => {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'usherd-record-')), 'lo.uevents');
  const recorder = spawn(process.execPath, [entry, 'record', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(recorder.stderr, 'data');
  const [triggered] = jsonLines<{ uuid: string }>(
    await usher('trigger', '/devices/virtual/net/lo', '--action', 'add', '--json'),
  );
  t.truthy(triggered);
  while (!readFileSync(file, 'utf8').includes(triggered?.uuid ?? '?'))
    await new Promise(resolve => setTimeout(resolve, 10));
  recorder.kill('SIGINT');
  await once(recorder, 'exit');
  t.is(recorder.exitCode, 0);
  const demo = path.resolve(import.meta.dirname, '../../contrib/demo/root');
  const replayed = jsonLines<{ event: { devpath: string; synthUuid?: string } }>(
    await usher('replay', file, '--all', '--json', '--root', demo, '--kernel', '6.1.0-demo'),
  );
  t.true(
    replayed.some(({ event }) => event.synthUuid === triggered?.uuid && event.devpath === '/devices/virtual/net/lo'),
  );
  t.is((await usher('record', file)).status, 4, 'a recording is never overwritten');
});

test('every verb has help that shows its options and examples', async t => {
  for (const { name, options, examples } of VERBS) {
    const { stdout, status } = await usher(...name.split(' '), '--help');
    t.is(status, 0, name);
    for (const { flags } of options) t.true(stdout.includes(flags.split(' ')[0] ?? flags), `${name} ${flags}`);
    for (const { command } of examples) t.true(stdout.includes(command), `${name}: ${command}`);
  }
});

test('a word that is no verb, and an option that is none, end with status 2 and point to the help', async t => {
  for (const words of [['histroy'], ['history', '--sinse', '1h'], ['why']]) {
    const { status, stderr } = await usher(...words);
    t.is(status, 2, words.join(' '));
    t.regex(stderr, /^error: /);
  }
});

test('history of a ledger that does not exist says so', async t => {
  const { status, stderr } = await usher('history', '--state-dir', '/nowhere');
  t.is(status, 4);
  t.regex(stderr, /^usher: \/nowhere\/ledger\.sqlite: there is no ledger yet\n/);
});
