import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { describeHooks, describePlugin } from '../../core/plugin-host/describe-plugin.ts';
import { HookFilter } from '../../core/plugin-host/hook-filter.ts';
import { isNeed } from '../../core/plugin-host/needs.ts';
import { parseOpinion, parseProposal } from '../../core/plugin-host/parse-answer.ts';
import { parsePluginConfig } from '../../core/plugin-host/plugin-config.ts';
import { isPluginName } from '../../core/plugin-host/plugin-place.ts';
import { FileStore } from '../../core/plugin-host/plugin-store.ts';
import { readTrustedFiles } from '../../core/plugin-host/trusted-files.ts';
import { globMatches } from '../../core/kmod/lookup/glob.ts';
import { formatProblem } from '../../core/vocabulary/place.ts';
import { STICK_ADDED, stickAsks } from '../support/plugin-world.ts';

const uid = process.getuid?.() ?? 0;

function folder(t: ExecutionContext): string {
  const made = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-plugin-')));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test("a plugin's file says whether it is on, what it may and how it is set", t => {
  const text = ['enabled = true', 'order = 10', 'grant = ["drivers", "read:/etc/list"]', '[settings]', 'a = 1'].join(
    '\n',
  );
  t.deepEqual(parsePluginConfig(text, '/etc/usherd/plugins/x.toml'), {
    config: {
      place: { file: '/etc/usherd/plugins/x.toml' },
      isEnabled: true,
      isRequired: false,
      order: 10,
      grant: ['drivers', 'read:/etc/list'],
      settings: { a: 1 },
    },
    problems: [],
  });
});

test('each line of it that cannot be used is told with its place, and the others count', t => {
  const text = ['order = "first"', 'grant = ["everything"]', 'required = true', 'colour = 3', 'settings = 5'].join(
    '\n',
  );
  const { config, problems } = parsePluginConfig(text, 'x.toml');
  t.like(config, { isEnabled: true, isRequired: true, grant: [], settings: {} });
  t.deepEqual(
    problems.map(problem => formatProblem(problem)),
    [
      'x.toml:1: order is "first", wanted a whole number from 0 to 1000',
      'x.toml:2: grant is ["everything"], wanted a list of needs, as ["drivers", "net"]',
      'x.toml:5: settings is 5, wanted a table',
      'x.toml:4: there is no "colour" here; there are enabled, required, order, grant and the table settings',
    ],
  );
});

test('whatever stands in it, reading it throws nothing, and what is no TOML switches nothing on', t => {
  const cutOff = 'enabled = true\ngrant = ["dri';
  t.false(parsePluginConfig(cutOff, 'x.toml').config.isEnabled);
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), text => {
      parsePluginConfig(text, 'x.toml');
    }),
  );
});

test('names of plugins and needs are told from what is none', t => {
  t.deepEqual(['a', 'usb-trust', 'a1'].map(isPluginName), [true, true, true]);
  t.deepEqual(['', 'A', '-a', 'a--b', '../a', 'a/b', 'a'.repeat(65)].map(isPluginName), Array(7).fill(false));
  t.deepEqual(['drivers', 'unload', 'net', 'search', 'read:/etc/x'].map(isNeed), Array(5).fill(true));
  t.deepEqual(['root', 'read:etc', 'read:/a/../b', 'read:', 3].map(isNeed), Array(5).fill(false));
});

const wrongPlugin = test.macro({
  exec: (t, value: unknown, wrong: RegExp) => {
    const described = describePlugin(value);
    t.regex('wrong' in described ? described.wrong : 'nothing is wrong', wrong);
  },
  title: (_, value) => `${JSON.stringify(value)?.slice(0, 60)} is no plugin`,
});
test(wrongPlugin, undefined, /no plugin/);
test(wrongPlugin, [], /no plugin/);
test(wrongPlugin, { name: 'Bad', api: 1, hooks: [] }, /its name is "Bad"/);
test(wrongPlugin, { name: 'a', api: 2, hooks: [] }, /interface 2, this usherd has 1/);
test(wrongPlugin, { name: 'a', api: 1, hooks: [], needs: ['all'] }, /its needs are/);
test(wrongPlugin, { name: 'a', api: 1, hooks: [], order: -1 }, /its order is -1/);
test(wrongPlugin, { name: 'a', api: 1, hooks: [], settings: {} }, /no Standard Schema/);
test(wrongPlugin, { name: 'a', api: 1 }, /either hooks or setup/);
test(wrongPlugin, { name: 'a', api: 1, hooks: [], summary: 'two\nlines' }, /one line/);

const wrongHook = test.macro({
  exec: (t, hook: object, wrong: RegExp) => {
    const described = describeHooks([{ call: () => undefined, ...hook }]);
    t.regex('wrong' in described ? described.wrong : 'nothing is wrong', wrong);
  },
  title: (_, hook) => `a hook ${JSON.stringify(hook)} is refused`,
});
test(wrongHook, { kind: 'decide' }, /kind "decide"/);
test(wrongHook, { kind: 'opine' }, /onError undefined/);
test(wrongHook, { kind: 'opine', onError: 'deny', deadlineMs: 60_000 }, /at most 10000 ms/);
test(wrongHook, { kind: 'observe', filter: { bus: ['usb'] } }, /filter for "bus"/);
test(wrongHook, { kind: 'observe', filter: { action: 'add' } }, /action is "add"/);
test(wrongHook, { kind: 'observe', wants: ['attr:../../etc/passwd'] }, /wants/);
test(wrongHook, { kind: 'observe', call: 3 }, /no function "call"/);

test('a filter lets through what a plain reading of it lets through', t => {
  const pattern = fc.constantFrom('add', 'rem*', 'usb', 'p?i', '*', 'usb:v0951*', '/devices/*', 'bind');
  const patterns = fc.option(fc.array(pattern, { maxLength: 3 }), { nil: undefined });
  fc.assert(
    fc.property(patterns, patterns, patterns, patterns, (action, subsystem, modalias, devpath) => {
      const given = Object.entries({ action, subsystem, modalias, devpath }).filter(([, list]) => list !== undefined);
      const texts: Record<string, string> = {
        action: STICK_ADDED.action,
        subsystem: STICK_ADDED.subsystem,
        modalias: STICK_ADDED.env['MODALIAS'] ?? '',
        devpath: STICK_ADDED.devpath,
      };
      const plain = given.every(([key, list]) => list?.some(glob => globMatches(glob, texts[key] ?? '')));
      t.is(new HookFilter(Object.fromEntries(given)).passesEvent(STICK_ADDED), plain);
    }),
  );
});

test('an answer becomes an opinion in the name of the plugin, on one line', t => {
  const question = stickAsks();
  t.deepEqual(parseOpinion({ verdict: 'hold', reason: 'two\nlines\u001b[31m' }, 'plugin x', question), {
    verdict: 'hold',
    module: question.module,
    by: 'plugin x',
    reason: 'two lines [31m',
  });
  t.is(parseOpinion(undefined, 'plugin x', question), undefined);
  t.is(parseOpinion({ verdict: 'abstain' }, 'plugin x', question), undefined);
  t.like(parseOpinion({ verdict: 'replace', module: 'uas-quirk', reason: 'r' }, 'p', question), {
    replacement: 'uas_quirk',
  });
  t.like(parseOpinion({ verdict: 'replace', module: 'uas', reason: 'r' }, 'p', stickAsks('scsi_mod', 'dependency')), {
    nonsense: 'to replace scsi_mod, which comes along with another module',
  });
});

test('whatever a plugin answers is an opinion, silence or nonsense', t => {
  fc.assert(
    fc.property(fc.anything(), answer => {
      const opinion = parseOpinion(answer, 'plugin x', stickAsks());
      t.true(opinion === undefined || 'nonsense' in opinion || opinion.reason !== '');
      const proposal = parseProposal(answer);
      t.true(proposal === undefined || 'nonsense' in proposal || proposal.title !== '');
    }),
  );
});

test('files that only root and we can write are trusted, with one hash over names and contents', t => {
  const at = folder(t);
  mkdirSync(path.join(at, 'p'), { mode: 0o755 });
  writeFileSync(path.join(at, 'p/index.ts'), 'a', { mode: 0o644 });
  const first = readTrustedFiles(path.join(at, 'p'), uid);
  t.like(first, { files: [path.join(at, 'p/index.ts')] });
  writeFileSync(path.join(at, 'p/more.ts'), '', { mode: 0o644 });
  const second = readTrustedFiles(path.join(at, 'p'), uid);
  t.true('hash' in first && 'hash' in second && second.hash !== first.hash);
});

test('a file, a folder of it or one above it that others may write to, and a link, are not trusted', t => {
  const at = folder(t);
  const plugin = path.join(at, 'p');
  mkdirSync(plugin, { mode: 0o755 });
  const file = path.join(plugin, 'index.ts');
  writeFileSync(file, '', { mode: 0o644 });
  const distrust = (): string => {
    const read = readTrustedFiles(plugin, uid);
    return 'distrust' in read ? read.distrust : 'trusted';
  };
  t.is(distrust(), 'trusted');
  chmodSync(file, 0o664);
  t.is(distrust(), `${file} has mode 0664: others than its owner may write to it`);
  chmodSync(file, 0o644);
  chmodSync(plugin, 0o777);
  t.regex(distrust(), /p has mode 0777/);
  chmodSync(plugin, 0o755);
  chmodSync(at, 0o775);
  t.regex(distrust(), /has mode 0775/);
  chmodSync(at, 0o755);
  symlinkSync('/etc/passwd', path.join(plugin, 'link'));
  t.is(distrust(), `${path.join(plugin, 'link')} is neither a file nor a folder`);
});

test('what belongs to another user is not trusted', t => {
  const at = folder(t);
  const read = readTrustedFiles(at, uid + 1);
  if (uid === 0) t.true('hash' in read); // What is root's is trusted by everybody.
  else t.true('distrust' in read);
});

test('a store keeps what it is given, whole on disk when the promise is kept', async t => {
  const at = folder(t);
  const store = new FileStore(at, 'x');
  await Promise.all([store.set('a', 1), store.set('b', { c: [true, null] }), store.set('a', 2)]);
  await store.delete('nothing');
  t.deepEqual(JSON.parse(readFileSync(path.join(at, 'x.json'), 'utf8')), { a: 2, b: { c: [true, null] } });
  const again = new FileStore(at, 'x');
  t.deepEqual([await again.get('a'), await again.keys()], [2, ['a', 'b']]);
  t.deepEqual(readdirSync(at), ['x.json']);
});

test('a store that is full refuses, and keeps what it has', async t => {
  const store = new FileStore(folder(t), 'x');
  await store.set('a', 1);
  await t.throwsAsync(store.set('big', 'x'.repeat(300_000)), { message: /the store is full/ });
  await t.throwsAsync(store.set('', 1), { message: /a key must have/ });
  await t.throwsAsync(store.set('f', undefined as never), { message: /no word for/ });
  t.deepEqual(await store.keys(), ['a']);
});

test('a damaged store is set aside, and a read-only one writes nothing', async t => {
  const at = folder(t);
  writeFileSync(path.join(at, 'x.json'), '{"a":');
  const store = new FileStore(at, 'x');
  t.deepEqual(await store.keys(), []);
  t.true(readdirSync(at).some(name => name.startsWith('x.json.damaged-')));
  const looking = new FileStore(at, 'y', { isReadOnly: true });
  await looking.set('a', 1);
  t.is(await looking.get('a'), 1);
  t.false(readdirSync(at).includes('y.json'));
});
