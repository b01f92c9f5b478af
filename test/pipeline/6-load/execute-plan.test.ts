import test from 'ava';
import { moduleName, moduleNameOfPath, type ModuleName } from '../../../core/vocabulary/module-name.ts';
import type { ErrnoName } from '../../../core/vocabulary/errno.ts';
import type { LoadPlan, Role, Step } from '../../../core/pipeline/5-resolve/load-plan.ts';
import { PlanExecutor } from '../../../core/pipeline/6-load/execute-plan.ts';
import { NotingLoader } from '../../../core/pipeline/6-load/noting-loader.ts';
import type { Outcome } from '../../../core/pipeline/6-load/outcome.ts';

const NONE = new Map<ModuleName, string>();

function loader(refusals: Readonly<Record<string, ErrnoName>> = {}): NotingLoader {
  const entries = Object.entries(refusals).map(([name, errno]) => [moduleName(name), errno] as const);
  return new NotingLoader(() => false, moduleNameOfPath, new Map(entries));
}

function insert(name: string, role: Role, required = true): Step {
  return {
    kind: 'insert',
    module: moduleName(name),
    role,
    required,
    path: `/lib/modules/x/${name}.ko`,
    parameters: '',
    optionPlaces: [],
  };
}

/** Outcomes without their times, which differ from run to run. */
function timeless(outcomes: readonly Outcome[]): readonly object[] {
  return outcomes.map(outcome => {
    const { tookMs: _tookMs, ...rest } = { tookMs: 0, ...outcome };
    return rest;
  });
}

const plan = (...steps: Step[]): LoadPlan => ({ target: moduleName('uas'), steps });

test('steps are taken in order, each with its outcome', async t => {
  const executor = new PlanExecutor(loader(), { observes: false });
  const outcomes = await executor.execute(plan(insert('usb_storage', 'dependency'), insert('uas', 'target')), NONE);
  t.deepEqual(timeless(outcomes), [
    { kind: 'inserted', module: 'usb_storage' },
    { kind: 'inserted', module: 'uas' },
  ]);
});

test('a required step that is refused ends the plan, and what the kernel said is explained', async t => {
  const executor = new PlanExecutor(loader({ usb_storage: 'EKEYREJECTED' }), { observes: false });
  const outcomes = await executor.execute(plan(insert('usb_storage', 'dependency'), insert('uas', 'target')), NONE);
  t.deepEqual(timeless(outcomes), [
    {
      kind: 'refused',
      module: 'usb_storage',
      errno: 'EKEYREJECTED',
      meaning:
        'its signature is by a key the kernel does not trust; with Secure Boot the key must be enrolled (mokutil --import)',
    },
    { kind: 'skipped', module: 'uas', reason: 'usb_storage could not be loaded' },
  ]);
});

test('a softdep that is refused does not keep the target from loading', async t => {
  const executor = new PlanExecutor(loader({ crc32c: 'ENOENT' }), { observes: false });
  const outcomes = await executor.execute(plan(insert('crc32c', 'softdep-pre', false), insert('uas', 'target')), NONE);
  t.deepEqual(
    outcomes.map(outcome => outcome.kind),
    ['refused', 'inserted'],
  );
});

test('a module the kernel has already is no failure', async t => {
  const executor = new PlanExecutor(loader({ uas: 'EEXIST' }), { observes: false });
  t.deepEqual(await executor.execute(plan(insert('uas', 'target')), NONE), [
    { kind: 'already-loaded', module: moduleName('uas') },
  ]);
});

test('however many devices ask at once, a module is inserted once and all get that one outcome', async t => {
  let insertions = 0;
  const counting = new (class extends NotingLoader {
    override async insert(path: string): Promise<ErrnoName | undefined> {
      insertions += 1;
      await Promise.resolve();
      return super.insert(path);
    }
  })(() => false, moduleNameOfPath);
  const executor = new PlanExecutor(counting, { observes: false });
  const all = await Promise.all(
    Array.from({ length: 50 }, () => executor.execute(plan(insert('uas', 'target')), NONE)),
  );
  t.is(insertions, 1);
  t.is(new Set(all.map(outcomes => outcomes[0])).size, 1);
  t.deepEqual(executor.inFlight, []);
});

test('what policy refused is skipped with the reason, and nothing is inserted for it', async t => {
  const executor = new PlanExecutor(loader(), { observes: false });
  const reason = 'uas is denied by modprobe.d: blacklist uas';
  const outcomes = await executor.execute(plan(insert('uas', 'target')), new Map([[moduleName('uas'), reason]]));
  t.deepEqual(outcomes, [{ kind: 'skipped', module: moduleName('uas'), reason }]);
});

test('an observer inserts nothing and says what it would have', async t => {
  const notes = loader();
  const executor = new PlanExecutor(notes, { observes: true });
  const outcomes = await executor.execute(plan(insert('uas', 'target')), NONE);
  t.deepEqual(outcomes, [{ kind: 'observed', module: moduleName('uas') }]);
  t.is(notes.stateOf(moduleName('uas')), undefined);
});
