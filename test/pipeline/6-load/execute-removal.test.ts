import test from 'ava';
import { ModprobeConfig } from '../../../core/kmod/config/modprobe-config.ts';
import type { Directive } from '../../../core/kmod/config/directive.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';
import { planRemove, type LoadedFacts, type RemoveOptions } from '../../../core/pipeline/5-resolve/plan-remove.ts';
import { executeRemoval, type ModuleRemover } from '../../../core/pipeline/6-load/execute-removal.ts';
import type { ErrnoName } from '../../../core/vocabulary/errno.ts';
import { moduleName, type ModuleName } from '../../../core/vocabulary/module-name.ts';
import { makeWorld } from '../../support/module-world.ts';
import type { ExecutionContext } from 'ava';

const DEP =
  'k/top.ko: k/left.ko k/right.ko k/core.ko\nk/left.ko: k/core.ko\nk/right.ko: k/core.ko\nk/core.ko:\nk/soft.ko:\n';

const facts = (refcnt: number, ...holders: string[]): LoadedFacts => ({ refcnt, holders: holders.map(moduleName) });

const CHAIN: Readonly<Record<string, LoadedFacts>> = {
  top: facts(0),
  left: facts(1, 'top'),
  right: facts(1, 'top'),
  core: facts(2, 'left', 'right'),
};

function plan(
  t: ExecutionContext,
  target: string,
  loaded: Readonly<Record<string, LoadedFacts>>,
  options: Partial<RemoveOptions> = {},
  directives: readonly Directive[] = [],
): ReturnType<typeof planRemove> {
  const { tree } = makeWorld(t, { files: { 'lib/modules/6.1.0-test/modules.dep': DEP } });
  const world = { tree: ModuleTree.open(tree), config: new ModprobeConfig(directives) };
  const map = new Map(Object.entries(loaded).map(([name, fact]) => [moduleName(name), fact]));
  return planRemove(moduleName(target), world, { loaded: map, ...options });
}

/** A kernel that only counts: it holds to its refcnts, and lets go of what a removed module held. */
class CountingKernel implements ModuleRemover {
  readonly asked: string[] = [];
  readonly #refcnts: Map<string, number>;
  readonly #answers: ErrnoName[];
  readonly #uses: Readonly<Record<string, readonly string[]>>;

  constructor(
    refcnts: Readonly<Record<string, number>>,
    uses: Readonly<Record<string, readonly string[]>> = {},
    answers: readonly ErrnoName[] = [],
  ) {
    this.#refcnts = new Map(Object.entries(refcnts));
    this.#uses = uses;
    this.#answers = [...answers];
  }

  remove(module: ModuleName): Promise<ErrnoName | undefined> {
    this.asked.push(module);
    const answer = this.#answers.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    if ((this.#refcnts.get(module) ?? 0) > 0) return Promise.resolve('EAGAIN');
    this.#refcnts.delete(module);
    for (const used of this.#uses[module] ?? []) this.#refcnts.set(used, (this.#refcnts.get(used) ?? 0) - 1);
    return Promise.resolve(undefined);
  }

  refcntOf(module: ModuleName): number | undefined {
    return this.#refcnts.get(module);
  }

  runCommand(command: string): Promise<{ kind: 'exited'; status: number }> {
    this.asked.push(command);
    return Promise.resolve({ kind: 'exited', status: command.includes('false') ? 1 : 0 });
  }
}

test('what a module used is removed in one pass, deepest first, so that a chain stays half loaded', async t => {
  const made = plan(t, 'top', CHAIN);
  t.deepEqual(
    made.steps.map(({ kind, module, role }) => `${kind} ${module} ${role}`),
    ['remove top target', 'remove right unused-dependency', 'remove left unused-dependency'],
  );
  const kernel = new CountingKernel(
    { top: 0, left: 1, right: 1, core: 2 },
    { top: ['left', 'right'], left: ['core'], right: ['core'] },
  );
  await executeRemoval(made, kernel, { isDryRun: false });
  t.deepEqual(kernel.asked, ['top', 'right', 'left']);
});

test('a dry run sees the counts as they are, and plans no dependency that is still used', t => {
  const { steps } = plan(t, 'top', CHAIN, { isDryRun: true });
  t.deepEqual(
    steps.map(({ module }) => module),
    ['top'],
  );
});

test('a dependency somebody took meanwhile is left alone', async t => {
  const kernel = new CountingKernel({ top: 0, left: 2, right: 1 }, { top: ['left', 'right'] });
  const outcomes = await executeRemoval(plan(t, 'top', CHAIN), kernel, { isDryRun: false });
  t.deepEqual(
    outcomes.map(({ kind, module }) => `${kind} ${module}`),
    ['removed top', 'removed right', 'skipped left'],
  );
});

test('holders go first when asked, one level deep', t => {
  const { steps } = plan(t, 'core', CHAIN, { removeHolders: true });
  t.deepEqual(
    steps.map(({ kind, module, role }) => `${kind} ${module} ${role}`),
    ['in-use right holder'],
  );
  const open = plan(t, 'left', CHAIN, { removeHolders: true });
  t.deepEqual(
    open.steps.map(({ kind, module, role }) => `${kind} ${module} ${role}`),
    [
      'remove top holder',
      'remove right unused-dependency',
      'remove left unused-dependency',
      'remove left target',
      'remove core unused-dependency',
    ],
  );
});

test('a module in use is asked again until it lets go, or the time is over', async t => {
  const made = plan(t, 'top', { top: facts(1) }, { ignoreUse: true });
  const patient = new CountingKernel({ top: 0 }, {}, ['EAGAIN', 'EAGAIN', 'EAGAIN']);
  const [gone] = await executeRemoval(made, patient, { isDryRun: false, waitMs: 60_000 });
  t.deepEqual([gone?.kind, patient.asked.length], ['removed', 4]);
  const stubborn = new CountingKernel({ top: 1 });
  const [stays] = await executeRemoval(made, stubborn, { isDryRun: false, waitMs: 1000 });
  t.deepEqual(stays, { kind: 'refused', module: moduleName('top'), errno: 'EAGAIN' });
  t.true(stubborn.asked.length > 2);
});

test('a remove command runs in place of the removal, and what it fails at ends all', async t => {
  const place = { file: 'a.conf', line: 1 };
  const remove = (command: string): Directive[] => [
    { kind: 'remove', pattern: 'top', command, place },
    { kind: 'softdep', module: moduleName('top'), pre: ['soft'], post: [], place },
  ];
  const loaded = { top: facts(0), soft: facts(0) };
  const works = new CountingKernel({ top: 0, soft: 0 });
  await executeRemoval(plan(t, 'top', loaded, {}, remove('true $CMDLINE_OPTS')), works, { isDryRun: false });
  t.deepEqual(works.asked, ['true ', 'soft']);
  const fails = new CountingKernel({ top: 0, soft: 0 });
  const outcomes = await executeRemoval(plan(t, 'top', loaded, {}, remove('false')), fails, { isDryRun: false });
  t.deepEqual(
    [fails.asked, outcomes],
    [['false'], [{ kind: 'command-failed', module: moduleName('top'), end: { kind: 'exited', status: 1 } }]],
  );
});

test('softdeps that name each other in a circle come to an end', t => {
  const place = { file: 'a.conf', line: 1 };
  const soft = (module: string, post: string): Directive => ({
    kind: 'softdep',
    module: moduleName(module),
    pre: [],
    post: [post],
    place,
  });
  const { steps } = plan(t, 'top', { top: facts(0), soft: facts(0) }, {}, [soft('top', 'soft'), soft('soft', 'top')]);
  t.deepEqual(
    steps.map(({ kind, module }) => `${kind} ${module}`),
    ['remove soft', 'remove top'],
  );
});
