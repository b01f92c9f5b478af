import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readModprobeConfig } from '../../../core/kmod/config/modprobe-config.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';
import { planLoad, type ModuleState } from '../../../core/pipeline/5-resolve/plan-load.ts';
import type { ModuleWorld } from '../../../core/pipeline/5-resolve/probe-list.ts';
import { restrictPlan } from '../../../core/pipeline/5-resolve/restrict-plan.ts';
import { joinOpinions } from '../../../core/pipeline/4-policy/decide.ts';
import type { LoadPlan } from '../../../core/pipeline/5-resolve/load-plan.ts';
import { moduleName, type ModuleName } from '../../../core/vocabulary/module-name.ts';
import { makeWorld } from '../../support/module-world.ts';

/** A tree as depmod leaves it, from the text of its modules.dep, and one file of modprobe.d. */
function world(t: ExecutionContext, dep: string, conf = '', builtin = ''): ModuleWorld {
  const made = makeWorld(t, {
    files: {
      'lib/modules/6.1.0-test/modules.dep': dep,
      'lib/modules/6.1.0-test/modules.builtin': builtin,
      'etc/modprobe.d/site.conf': conf,
    },
  });
  const tree = ModuleTree.open(made.tree);
  return { tree, config: readModprobeConfig({ dirs: [made.modprobeDir], treeFiles: [] }) };
}

const NOTHING_LOADED = { states: new Map<ModuleName, ModuleState>() };

/** A plan in short: what is done to which module, and with what. */
function told({ steps }: LoadPlan): readonly string[] {
  return steps.map(step => {
    const detail =
      step.kind === 'insert'
        ? `${path.basename(step.path)} ${step.parameters}`
        : step.kind === 'run-install'
          ? step.command
          : '';
    return `${step.kind} ${step.module} (${step.role}) ${detail}`.trim();
  });
}

const CHAIN = 'kernel/top.ko: kernel/mid.ko kernel/low.ko\nkernel/mid.ko: kernel/low.ko\nkernel/low.ko:\n';

test('dependencies come deepest first, the target last', t => {
  const plan = planLoad(moduleName('top'), world(t, CHAIN), NOTHING_LOADED);
  t.deepEqual(told(plan), [
    'insert low (dependency) low.ko',
    'insert mid (dependency) mid.ko',
    'insert top (target) top.ko',
  ]);
});

test('a dependency brings its own softdeps, around itself', t => {
  const plan = planLoad(
    moduleName('top'),
    world(t, `${CHAIN}kernel/soft.ko:\nkernel/late.ko:\n`, 'softdep mid pre: soft post: late\n'),
    NOTHING_LOADED,
  );
  t.deepEqual(
    told(plan).map(line => line.split(' ')[1]),
    ['low', 'soft', 'mid', 'late', 'top'],
  );
});

test('softdeps that name each other end, and each module is planned once', t => {
  const plan = planLoad(
    moduleName('a'),
    world(t, 'kernel/a.ko:\nkernel/b.ko:\n', 'softdep a pre: b\nsoftdep b pre: a\n'),
    NOTHING_LOADED,
  );
  t.deepEqual(
    told(plan).map(line => line.split(' ')[1]),
    ['b', 'a'],
  );
});

test('what is live is not inserted again, and what is built in never', t => {
  const states = new Map<ModuleName, ModuleState>([
    [moduleName('low'), 'live'],
    [moduleName('mid'), 'builtin'],
  ]);
  const plan = planLoad(moduleName('top'), world(t, CHAIN), { states });
  t.deepEqual(told(plan), ['loaded low (dependency)', 'builtin mid (dependency)', 'insert top (target) top.ko']);
  const shown = planLoad(moduleName('top'), world(t, CHAIN), { states, ignoreLoaded: true });
  t.is(told(shown)[0], 'insert low (dependency) low.ko');
});

test("options of the module and of the alias it was found by come in order, then the command line's for the target only", t => {
  const conf = 'options top a=1\noptions low b=2\noptions some-alias c=3\noptions top d=4\n';
  const plan = planLoad(moduleName('top'), world(t, CHAIN, conf), {
    ...NOTHING_LOADED,
    alias: 'some-alias',
    parameters: 'e=5',
  });
  t.deepEqual(told(plan), [
    'insert low (dependency) low.ko b=2',
    'insert mid (dependency) mid.ko',
    'insert top (target) top.ko a=1 c=3 d=4 e=5',
  ]);
});

test('the first install line that matches runs in place of the insertion, after the dependencies', t => {
  const plan = planLoad(
    moduleName('top'),
    world(t, CHAIN, 'install t* /bin/first\ninstall top /bin/second\n'),
    NOTHING_LOADED,
  );
  t.is(told(plan).at(-1), 'run-install top (target) /bin/first');
});

test('an install line is lost when the module has a softdep, as modprobe loses it', t => {
  const conf = 'install top /bin/false\nsoftdep top pre: low\n';
  t.is(told(planLoad(moduleName('top'), world(t, CHAIN, conf), NOTHING_LOADED)).at(-1), 'insert top (target) top.ko');
});

test("ignoring the command leaves out the target's install line and softdeps, not those of its dependencies", t => {
  const conf = 'install top /bin/false\nsoftdep mid pre: soft\n';
  const plan = planLoad(moduleName('top'), world(t, `${CHAIN}kernel/soft.ko:\n`, conf), {
    ...NOTHING_LOADED,
    ignoreCommand: true,
  });
  t.deepEqual(
    told(plan).map(line => line.split(' ')[1]),
    ['low', 'soft', 'mid', 'top'],
  );
  t.is(told(plan).at(-1), 'insert top (target) top.ko');
});

test('a softdep that does not exist is told and does not stop anything', t => {
  const plan = planLoad(moduleName('low'), world(t, CHAIN, 'softdep low pre: nowhere\n'), NOTHING_LOADED);
  t.deepEqual(told(plan), ['missing nowhere (softdep-pre)', 'insert low (target) low.ko']);
  t.false(plan.steps[0]?.required);
});

test('a denied softdep is left out with what only it needed; a denied dependency stops all', t => {
  const dep = `${CHAIN}kernel/soft.ko: kernel/below.ko\nkernel/below.ko:\n`;
  const plan = planLoad(moduleName('low'), world(t, dep, 'softdep low pre: soft\n'), NOTHING_LOADED);
  const deny = (name: string): ReturnType<typeof restrictPlan> => {
    const module = moduleName(name);
    const decision = joinOpinions(module, [{ verdict: 'deny', module, by: 'administrator', reason: 'not here' }]);
    return restrictPlan(plan, new Map([[module, decision]]));
  };
  t.deepEqual([...deny('soft').keys()], [moduleName('soft'), moduleName('below')]);
  t.deepEqual([...deny('low').keys()], [moduleName('below'), moduleName('soft'), moduleName('low')]);
  t.is(deny('low').get(moduleName('low')), 'low is denied by administrator: not here');
});
