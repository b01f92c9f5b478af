import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { writeIndex } from '../../core/kmod/index/index-writer.ts';
import { findAliasLine } from '../../core/kmod/lookup/find-alias-line.ts';
import { lookupModules } from '../../core/kmod/lookup/module-lookup.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';

function treeOf(t: ExecutionContext, files: Readonly<Record<string, string | Buffer>>): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-tree-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(dir, name), content);
  return dir;
}

const DEP =
  'kernel/b/usb-storage.ko.xz: kernel/a/usbcore.ko kernel/a/usb-common.ko\nkernel/a/usbcore.ko: kernel/a/usb-common.ko\n/opt/usb-common.ko:\n';
const ALIAS = '# Aliases\nalias usb:v1-p* usb_storage\nalias usb:v* usbcore\nalias bad]x usbcore\n';

test('a tree answers from the text files where there is no index', t => {
  const dir = treeOf(t, { 'modules.dep': DEP, 'modules.alias': ALIAS, 'modules.builtin': 'kernel/fs/ext-4.ko\n' });
  const tree = ModuleTree.open(dir);
  const storage = tree.module(moduleName('usb-storage'));
  t.deepEqual(storage, {
    name: moduleName('usb_storage'),
    path: 'kernel/b/usb-storage.ko.xz',
    dependencies: ['usbcore', 'usb_common'].map(moduleName),
  });
  t.is(storage && tree.filePath(storage), path.join(dir, 'kernel/b/usb-storage.ko.xz'));
  t.deepEqual(tree.moduleNames(), ['usb_storage', 'usbcore', 'usb_common'].map(moduleName));
  const common = tree.module(moduleName('usb_common'));
  t.is(common && tree.filePath(common), '/opt/usb-common.ko');
  t.true(tree.isBuiltin(moduleName('ext_4')));
  t.false(tree.isBuiltin(moduleName('usbcore')));
  const [match] = lookupModules('usb:v1_p2', tree, new ModprobeConfig([]));
  t.is(match?.module, moduleName('usb_storage'));
  t.deepEqual(match && findAliasLine(tree, match), { file: path.join(dir, 'modules.alias'), line: 2 });
  t.deepEqual(
    tree.problems.map(({ place: { line }, message }) => [line, message]),
    [[4, 'found the pattern "bad]x", wanted its brackets in pairs']],
  );
});

test('a damaged index is named and the text answers in its place', t => {
  const index = Buffer.from(writeIndex([{ key: 'usbcore', value: 'kernel/a/usbcore.ko:', priority: 0 }]));
  index.writeUInt32BE(0x20ffffff, 8);
  const dir = treeOf(t, { 'modules.dep': DEP, 'modules.dep.bin': index });
  const tree = ModuleTree.open(dir);
  t.is(tree.module(moduleName('usbcore'))?.path, 'kernel/a/usbcore.ko');
  t.is(tree.problems.length, 1);
  t.regex(tree.problems[0]?.message ?? '', /a table of children .* past the end.*; its text is read instead$/);
});

test('an index that is written anew while a tree is open is named and the text answers in its place', t => {
  const many = Array.from({ length: 3000 }, (_, at) => `module_${String(at).padStart(4, '0')}`);
  const index = writeIndex(many.map((key, priority) => ({ key, value: `kernel/a/${key}.ko:`, priority })));
  const dir = treeOf(t, {
    'modules.dep': many.map(name => `kernel/b/${name}.ko:\n`).join(''),
    'modules.dep.bin': index,
  });
  const tree = ModuleTree.open(dir);
  t.is(tree.module(moduleName('module_0000'))?.path, 'kernel/a/module_0000.ko');
  const prepared = ModuleTree.open(dir);
  prepared.prepare();
  writeFileSync(path.join(dir, 'modules.dep.bin'), index.subarray(0, 100));
  t.is(tree.module(moduleName('module_1500'))?.path, 'kernel/b/module_1500.ko');
  t.deepEqual(
    tree.problems.map(({ message }) => message.replace(/^.*: (?=another)/, '')),
    ['another file has taken its place; its text is read instead'],
  );
  t.is(prepared.module(moduleName('module_2999'))?.path, 'kernel/a/module_2999.ko', 'it has all it was opened with');
  t.deepEqual(prepared.problems, []);
});

test('an index without its text keeps the place of the index', t => {
  const dir = treeOf(t, { 'modules.alias.bin': writeIndex([{ key: 'usb:*', value: 'usbcore', priority: 0 }]) });
  const tree = ModuleTree.open(dir);
  const [match] = lookupModules('usb:v1', tree, new ModprobeConfig([]));
  t.deepEqual(match && findAliasLine(tree, match), { file: path.join(dir, 'modules.alias.bin') });
});

test('a folder that is not there is an empty tree that says what was wanted', t => {
  const tree = ModuleTree.open('/nonexistent/6.1.0');
  t.is(tree.module(moduleName('usbcore')), undefined);
  t.deepEqual(tree.moduleNames(), []);
  t.deepEqual(tree.problems, [
    {
      place: { file: '/nonexistent/6.1.0/modules.dep' },
      message: 'neither it nor its .bin names a module, wanted what depmod writes',
    },
  ]);
});

test('a tree is stale when a file it was read from changes, comes or goes', t => {
  const dir = treeOf(t, { 'modules.dep': DEP });
  const open = (): ModuleTree => {
    const tree = ModuleTree.open(dir);
    tree.moduleNames();
    return tree;
  };
  const first = open();
  t.false(first.isStale());
  t.deepEqual(first.files, [path.join(dir, 'modules.dep.bin'), path.join(dir, 'modules.dep')]);
  utimesSync(path.join(dir, 'modules.dep'), 5, 5);
  t.true(first.isStale());
  const second = open();
  t.false(second.isStale());
  writeFileSync(path.join(dir, 'modules.dep.bin'), writeIndex([]));
  t.true(second.isStale());
});

test('the sources are asked in libkmod’s order and the first that knows answers alone', t => {
  const dir = treeOf(t, {
    'modules.dep': 'kernel/name.ko:\nkernel/other.ko:\n',
    'modules.alias': 'alias name other\nalias cmd other\nalias built other\nalias conf other\n',
    'modules.symbols': 'alias symbol:fn other\n',
    'modules.builtin': 'kernel/built.ko\nkernel/only-built.ko\n',
    'modules.builtin.modinfo': 'only_built.alias=built-alias\0',
  });
  const tree = ModuleTree.open(dir);
  const place = { file: 'a.conf', line: 1 };
  const config = new ModprobeConfig([
    { kind: 'alias', pattern: 'conf', module: moduleName('mine'), place },
    { kind: 'alias', pattern: 'co*', module: moduleName('mine_too'), place },
    { kind: 'remove', pattern: 'cmd', command: '/bin/true', place },
    { kind: 'install', pattern: 'cmd', command: '/bin/true', place },
  ]);
  const answer = (query: string): string =>
    lookupModules(query, tree, config)
      .map(({ source, module }) => `${source} ${module}`)
      .join(', ');
  t.deepEqual(['conf', 'name', 'symbol:fn', 'cmd', 'built', 'only-built', 'built-alias', 'nothing', 'a]'].map(answer), [
    'config-alias mine, config-alias mine_too',
    'modules.dep name',
    'modules.symbols other',
    'install cmd',
    'modules.alias other',
    'modules.builtin only_built',
    'modules.builtin.alias only_built',
    '',
    '',
  ]);
});
