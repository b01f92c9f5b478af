import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { lookupModules } from '../../core/kmod/lookup/module-lookup.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { debianTree, type DebianTree } from '../support/debian-tree.ts';
import { samplePatternTexts } from '../support/pattern-texts.ts';

const NO_CONFIG = new ModprobeConfig([]);
/** Texts asked of modprobe, one process each of about 2 ms. */
const ASKED_OF_MODPROBE = 1500;
/** Texts asked of our own readers, which are compared with each other. */
const ASKED_OF_OURS = 20_000;

function patternsOf({ dir }: DebianTree): string[] {
  return ModuleTree.open(dir).aliasIndex().prepare().patterns();
}

function askOurs(tree: ModuleTree, query: string): unknown {
  return lookupModules(query, tree, NO_CONFIG).map(({ module, pattern, source }) => [module, pattern, source]);
}

/** What `modprobe -R` prints for each text, asked of one shell. */
function modprobeAnswers({ root, release }: DebianTree, texts: readonly string[]): string[] {
  const script =
    'while IFS= read -r text; do "$0" -q -d "$1" -S "$2" -C /dev/null -R -- "$text" | tr "\\n" " "; echo; done';
  const { stdout } = spawnSync(
    'sh',
    ['-c', `PATH=$PATH:/usr/sbin:/sbin; exec sh -c '${script}' modprobe "$@"`, 'sh', root, release],
    {
      input: `${texts.join('\n')}\n`,
      encoding: 'latin1',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.trim());
}

test('every text finds the modules modprobe -R prints, in its order and as often', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const texts = samplePatternTexts(patternsOf(tree), ASKED_OF_MODPROBE);
  const expected = modprobeAnswers(tree, texts);
  const ours = ModuleTree.open(tree.dir);
  const answers = texts.map(text =>
    lookupModules(text, ours, NO_CONFIG)
      .map(({ module }) => module)
      .join(' '),
  );
  t.is(answers.length, expected.length);
  t.deepEqual(
    answers.map((answer, i) => `${texts[i]}: ${answer}`),
    expected.map((answer, i) => `${texts[i]}: ${answer}`),
  );
  t.true(answers.filter(answer => answer !== '').length > ASKED_OF_MODPROBE / 2);
});

test('the index in place, the compiled matcher and the text files answer alike', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'usherd-text-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(tree.dir, folder, { recursive: true, filter: file => !file.endsWith('.bin') && !file.endsWith('/kernel') });
  const compiled = ModuleTree.open(tree.dir);
  const text = ModuleTree.open(folder);
  const texts = samplePatternTexts(patternsOf(tree), ASKED_OF_OURS);
  compiled.aliasIndex().prepare();
  for (const [i, query] of texts.entries()) {
    const expected = askOurs(compiled, query);
    t.deepEqual(askOurs(text, query), expected, query);
    // Each tree in place is good for some thirty questions before it compiles; a few hundred of them are enough.
    if (i % 100 === 0) t.deepEqual(askOurs(ModuleTree.open(tree.dir), query), expected, query);
  }
  t.deepEqual([compiled.problems, text.problems], [[], []]);
});

test('every module of the tree reads the same from modules.dep and from modules.dep.bin', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'usherd-text-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(tree.dir, folder, { recursive: true, filter: file => !file.endsWith('.bin') && !file.endsWith('/kernel') });
  const binary = ModuleTree.open(tree.dir);
  const text = ModuleTree.open(folder);
  t.deepEqual(text.moduleNames(), binary.moduleNames());
  t.deepEqual(text.builtinNames(), binary.builtinNames());
  t.deepEqual(
    text.moduleNames().map(name => text.module(name)),
    binary.moduleNames().map(name => binary.module(name)),
  );
});
