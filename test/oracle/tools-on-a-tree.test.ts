import path from 'node:path';
import test from 'ava';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { debianTree } from '../support/debian-tree.ts';
import { runKmod } from '../support/module-world.ts';
import { samplePatternTexts } from '../support/pattern-texts.ts';
import { runOurs, sameAsKmod } from '../support/run-tool.ts';

/** Texts asked in one process: hits made of the tree's patterns, and misses. */
const TEXTS = 6000;
/** Every so many modules one is asked for in a process of its own. */
const ALONE_EVERY = 40;

test('modprobe -q -a -R answers thousands of aliases in one process as Debian’s does', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const patterns = ModuleTree.open(tree.dir).aliasIndex().prepare().patterns();
  const texts = samplePatternTexts(patterns, TEXTS);
  const words = ['-C', '/dev/null', '-d', tree.root, '-S', tree.release, '-qaR', '--', ...texts];
  const { stdout } = await sameAsKmod(t, 'modprobe', words);
  t.true(stdout.split('\n').length > TEXTS / 2);
});

test('modprobe -D prints for every module of a kernel what Debian’s prints', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const names = ModuleTree.open(tree.dir).moduleNames();
  const common = ['-C', '/dev/null', '-d', tree.root, '-S', tree.release];
  t.true(names.length > 3000);
  await sameAsKmod(t, 'modprobe', [...common, '-aD', ...names]);
  for (const name of names.filter((_, i) => i % ALONE_EVERY === 0)) {
    await sameAsKmod(t, 'modprobe', [...common, '-D', name]);
  }
});

test('modprobe -c prints the whole index of a kernel as Debian’s does', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  await sameAsKmod(t, 'modprobe', ['-C', '/dev/null', '-d', tree.root, '-S', tree.release, '-c']);
});

for (const form of [[], ['-0'], ['-p'], ['-F', 'alias'], ['-F', 'nothing'], ['-n'], ['-adl'], ['-l0'], ['-m']]) {
  test(`modinfo ${form.join(' ')} prints of every module of a kernel what Debian’s prints`, async t => {
    const tree = await debianTree(t);
    if (!tree) return;
    const modules = ModuleTree.open(tree.dir);
    const names = [...modules.moduleNames(), ...modules.builtinNames(), 'nothing', 'pci:v00008086d000010D3sv*'];
    const { stdout } = await sameAsKmod(t, 'modinfo', [...form, '-b', tree.root, '-k', tree.release, ...names]);
    t.is(stdout === '', form.includes('nothing'));
  });
}

test('modinfo takes files, whatever their names', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const modules = ModuleTree.open(tree.dir);
  const [first, second] = modules.moduleNames().flatMap(name => {
    const entry = modules.module(name);
    return entry === undefined ? [] : [modules.filePath(entry)];
  });
  const files = [first ?? '', path.relative(process.cwd(), second ?? ''), `${tree.dir}/modules.dep`, '/nothing.ko'];
  await sameAsKmod(t, 'modinfo', files);
  await sameAsKmod(t, 'modinfo', ['-F', 'filename', ...files]);
  const json = await runOurs('modinfo', ['--json', ...files.slice(0, 2)]);
  const said = json.stdout
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { readonly file: string }).file);
  const theirs = runKmod('modinfo', ['-n', ...files.slice(0, 2)])
    .stdout.trim()
    .split('\n');
  t.deepEqual(said, theirs);
});
