import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { DriverSearcher } from '../../core/daemon/driver-searcher.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { whyNoRepository } from '../support/apt-world.ts';
import { claims, DriverWorld, PATTERN, RELEASE } from '../support/driver-world.ts';
import { testUnless } from '../support/skip-aloud.ts';

const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');
const real = testUnless(whyNoRepository());
const MODALIAS = PATTERN.replaceAll('*', '00');

real('the daemon gets what usher driver search finds, of all that ask together', async t => {
  const here = new DriverWorld([{ name: `acme-modules-${RELEASE}`, version: '1', fields: claims() }]);
  t.teardown(() => here.remove());
  here.update();
  const notices: string[] = [];
  const roots = systemRoot({ root: here.root }, { env: {}, uid: 0 });
  const searcher = new DriverSearcher({
    roots,
    release: RELEASE,
    self: [process.execPath, entry],
    installFrom: () => ['Test Vendor'],
    notice: message => void notices.push(message),
  });
  const [found, none] = await Promise.all([searcher.find(MODALIAS), searcher.find('pci:v0000FFFFd00000001')]);
  t.like(found[0], { name: `acme-modules-${RELEASE}`, origin: 'Test Vendor', isChosen: true, licence: 'proprietary' });
  t.deepEqual([none, notices], [[], []]);
  // The origin is one that settings let in, so whoever may install is called.
  t.true(existsSync(path.join(roots.stateDir, 'drivers/wanted')));
});

test('devices that ask together are one search, and an answer is kept until an index changes', async t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-searcher-'));
  const log = path.join(dir, 'log');
  const program = path.join(dir, 'usher');
  // Says of every modalias behind the -- that one driver is known.
  writeFileSync(
    program,
    `#!/bin/sh
echo run >>${log}
while [ "$1" != -- ]; do shift; done; shift
for alias in "$@"; do
  echo '{"modalias":"'$alias'","chosen":null,"candidates":[{"id":"x","score":1,"delivers":"module","licence":"free","origin":{"name":"O"},"source":{"kind":"package","version":"1"},"reasons":[],"flags":[],"obstacles":[]}]}'
done
`,
  );
  chmodSync(program, 0o755);
  const lists = path.join(dir, 'var/lib/apt/lists');
  mkdirSync(lists, { recursive: true });
  const searcher = new DriverSearcher({
    roots: systemRoot({ root: dir }, { env: {}, uid: 0 }),
    release: RELEASE,
    self: [program],
    installFrom: () => [],
    notice: message => t.fail(message),
  });
  const runs = (): number => readFileSync(log, 'utf8').split('\n').length - 1;
  const answers = await Promise.all(['pci:a', 'pci:b', 'pci:a'].map(modalias => searcher.find(modalias)));
  t.deepEqual(
    answers.map(([first]) => first?.name),
    ['x', 'x', 'x'],
  );
  t.is(runs(), 1);
  await searcher.find('pci:b');
  t.is(runs(), 1);
  writeFileSync(path.join(lists, 'new_Packages'), '');
  utimesSync(lists, 1, 1);
  await searcher.find('pci:b');
  t.is(runs(), 2);
});

test('a search that fails is told, and nothing is known then', async t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-searcher-'));
  const notices: string[] = [];
  const searcher = new DriverSearcher({
    roots: systemRoot({ root: dir }, { env: {}, uid: 0 }),
    release: RELEASE,
    self: [path.join(dir, 'nowhere')],
    installFrom: () => [],
    notice: message => void notices.push(message),
  });
  t.deepEqual(await searcher.find('pci:a'), []);
  t.regex(notices.join(), /drivers could not be looked for: .*ENOENT/);
});
