import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pluginTemplate } from '../../../core/cli/plugins/plugin-template.ts';
import { findAuthored } from '../../../core/cli/plugins/trial-folder.ts';
import { typeCheck } from '../../../core/cli/plugins/type-check.ts';
import { jsonLines, usher } from '../../support/usher.ts';

const example = path.resolve(import.meta.dirname, '../../../contrib/examples/plugin/known-sticks');
const devpath = '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0';
const opinion = {
  device: devpath,
  module: 'usb_storage',
  verdict: 'hold',
  reason: 'USB storage of vendor 0781 is not known here',
};

/** A folder that nobody else may write to, which goes with the test. */
function home(t: ExecutionContext): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-author-')));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function copyOfExample(t: ExecutionContext): string {
  const copy = path.join(home(t), 'known-sticks');
  cpSync(example, copy, { recursive: true });
  return copy;
}

function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(from, to));
}

test('the example that comes along is what plugin new makes', t => {
  for (const [file, text] of pluginTemplate('known-sticks')) t.is(readFileSync(path.join(example, file), 'utf8'), text);
});

test('a new plugin passes its check and its test at once, and is not made twice', async t => {
  const folder = home(t);
  const made = await usher('plugin', 'new', 'quiet-hours', '--dir', folder, '--json');
  t.is(made.status, 0, made.stderr);
  const plugin = path.join(folder, 'quiet-hours');
  const checked = await usher('plugin', 'check', plugin, '--json');
  t.is(checked.status, 0, checked.stdout);
  const [told] = jsonLines<{ checks: readonly { what: string; result: string }[] }>(checked);
  t.deepEqual(
    told?.checks.map(({ what, result }) => [what, result]),
    [
      ['types', 'good'],
      ['plugin', 'good'],
      ['settings', 'good'],
    ],
  );
  const tested = await usher('plugin', 'test', plugin, '--json');
  t.is(tested.status, 0, tested.stdout);
  t.deepEqual(jsonLines(tested), [
    { recording: 'storage.uevents', result: 'passed', opinions: [opinion], difference: [], complaints: [] },
  ]);
  const again = await usher('plugin', 'new', 'quiet-hours', '--dir', folder);
  t.regex(again.stderr, /quiet-hours is there already; nothing was written/);
  t.not(again.status, 0);
  const misnamed = await usher('plugin', 'new', 'Quiet Hours', '--dir', folder);
  t.regex(misnamed.stderr, /a name of small letters, digits and dashes, found "Quiet Hours"/);
});

test('a plugin that says something else fails its test with the difference, until that is what it must say', async t => {
  const plugin = copyOfExample(t);
  edit(path.join(plugin, 'index.ts'), 'is not known here', 'is unknown');
  const differs = await usher('plugin', 'test', plugin);
  t.is(differs.status, 1);
  t.is(
    differs.stdout,
    [
      'differs storage.uevents  1 opinion',
      `  - ${devpath} usb_storage: hold, USB storage of vendor 0781 is not known here`,
      `  + ${devpath} usb_storage: hold, USB storage of vendor 0781 is unknown`,
      '',
    ].join('\n'),
  );
  t.is((await usher('plugin', 'test', plugin, '--update')).status, 0);
  t.is((await usher('plugin', 'test', plugin)).status, 0);
  rmSync(path.join(plugin, 'test/storage.expected.toml'));
  const missing = await usher('plugin', 'test', plugin);
  t.is(missing.status, 1);
  t.regex(missing.stdout, /storage\.expected\.toml is not there: usher plugin test --update writes/);
});

test('a recording may have settings of its own', async t => {
  const plugin = copyOfExample(t);
  writeFileSync(path.join(plugin, 'test/storage.toml'), '[settings]\nvendors = ["0781", "0951"]\n');
  const tested = await usher('plugin', 'test', plugin, '--json');
  t.is(tested.status, 1);
  t.deepEqual(jsonLines<{ opinions: unknown }>(tested)[0]?.opinions, []);
});

test('a plugin that throws, or cannot be started, fails its test with the reason and updates nothing', async t => {
  const plugin = copyOfExample(t);
  const expected = path.join(plugin, 'test/storage.expected.toml');
  const before = readFileSync(expected, 'utf8');
  edit(
    path.join(plugin, 'index.ts'),
    /const modalias =/,
    "if (vendors) throw new Error('no idea');\n        const modalias =",
  );
  const thrown = await usher('plugin', 'test', plugin, '--update', '--json');
  t.is(thrown.status, 1);
  const [told] = jsonLines<{ result: string; complaints: readonly string[] }>(thrown);
  t.is(told?.result, 'failed');
  t.regex(told?.complaints[0] ?? '', /plugin known-sticks: opine: no idea/);
  edit(path.join(plugin, 'index.ts'), "name: 'known-sticks'", "name: 'other'");
  const misnamed = await usher('plugin', 'test', plugin, '--update');
  t.regex(misnamed.stdout, /it calls itself "other" and its file is called "known-sticks": wanted the same/);
  t.is(readFileSync(expected, 'utf8'), before);
});

test('check finds wrong types, wrong settings, and files that others may write to', async t => {
  const plugin = copyOfExample(t);
  edit(path.join(plugin, 'index.ts'), 'vendors.includes(vendor)', 'vendors.includes(5)');
  writeFileSync(path.join(plugin, 'known-sticks.toml'), 'enabeld = true\n[settings]\nvendors = 5\n');
  const checked = await usher('plugin', 'check', plugin);
  t.is(checked.status, 1);
  t.regex(checked.stdout, /^types +bad\n  index\.ts\(20,33\): error TS2345: .*'number'/m);
  t.regex(checked.stdout, /^plugin +bad\n  its settings: vendors: /m);
  t.regex(checked.stdout, /^settings bad\n.*\n  .*known-sticks\.toml:1: there is no "enabeld" here/m);
  chmodSync(path.join(plugin, 'test'), 0o777);
  const open = await usher('plugin', 'check', plugin);
  t.regex(open.stdout, /test has mode 0777: others than its owner may write to it/);
});

test('the built command finds the types, and tests a plugin below a folder with a package.json', t => {
  const built = path.resolve(example, '../../../../dist/usher');
  const run = (...words: readonly string[]): string =>
    execFileSync(process.execPath, [built, ...words], { encoding: 'utf8' });
  t.regex(run('plugin', 'check', example), /^types +good\n.*\nplugin +good\n/);
  t.is(run('plugin', 'test', example), 'passed  storage.uevents  1 opinion\n');
});

test('where nobody can check types, that is said', async t => {
  const plugin = findAuthored(example);
  const checked = await typeCheck(plugin, { PATH: '/nowhere' }, '/nowhere');
  t.deepEqual(checked, {
    kind: 'skipped',
    why: `no TypeScript compiler (tsc) in ${example}/node_modules, beside usherd or on the PATH: npm install typescript`,
  });
  const plain = { ...plugin, entry: path.join(example, 'index.js') };
  t.deepEqual(await typeCheck(plain, {}), { kind: 'skipped', why: 'it is not TypeScript' });
});

test('what is no plugin is refused with what was wanted', async t => {
  const folder = home(t);
  mkdirSync(path.join(folder, 'empty'));
  const blacklist = path.join(folder, 'blacklist.ts');
  writeFileSync(blacklist, 'export default {};\n');
  t.regex(
    (await usher('plugin', 'check', blacklist)).stdout,
    /"blacklist" is the name of a plugin that comes with usherd/,
  );
  for (const [word, why] of [
    [path.join(folder, 'none'), /there is no such folder or file/],
    [path.join(folder, 'empty'), /no plugin there, wanted one of index\.ts/],
  ] as const) {
    const { status, stderr } = await usher('plugin', 'test', word);
    t.regex(stderr, why);
    t.not(status, 0);
  }
});
