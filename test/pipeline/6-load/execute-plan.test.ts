import test from 'ava';
import { moduleName, moduleNameOfPath, type ModuleName } from '../../../core/vocabulary/module-name.ts';
import type { ErrnoName } from '../../../core/vocabulary/errno.ts';
import type { LoadPlan, Role, Step } from '../../../core/pipeline/5-resolve/load-plan.ts';
import { PlanExecutor } from '../../../core/pipeline/6-load/execute-plan.ts';
import type { Insertable, Insertion } from '../../../core/pipeline/6-load/module-loader.ts';
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

test('what came in beside a module that was refused is told as it is, and the rest is skipped', async t => {
  const kernel = new (class extends NotingLoader {
    override insertTogether(files: readonly Insertable[]): readonly Promise<Insertion>[] {
      const answers = ['ENOEXEC', undefined, 'not-tried'] as const;
      return files.map((_file, n) => Promise.resolve({ answer: answers[n], tookMs: n }));
    }
  })(() => false, moduleNameOfPath);
  const outcomes = await new PlanExecutor(kernel, { observes: false }).execute(
    plan(insert('soundcore', 'dependency'), insert('ac97_bus', 'dependency'), insert('snd_ac97_codec', 'target')),
    NONE,
  );
  t.deepEqual(
    outcomes.map(({ kind, module }) => [kind, module]),
    [
      ['refused', 'soundcore'],
      ['inserted', 'ac97_bus'],
      ['skipped', 'snd_ac97_codec'],
    ],
  );
  t.like(outcomes[1], { tookMs: 1 });
});

test('a softdep is in before what is given to the kernel after it', async t => {
  const groups: string[][] = [];
  const kernel = new (class extends NotingLoader {
    override insertTogether(files: readonly Insertable[]): readonly Promise<Insertion>[] {
      groups.push(files.map(({ module }) => module));
      return super.insertTogether(files);
    }
  })(() => false, moduleNameOfPath);
  const steps = [
    insert('scsi_mod', 'dependency'),
    insert('libata', 'dependency'),
    insert('crc32c', 'softdep-pre'),
    insert('ahci', 'dependency'),
    insert('uas', 'target'),
  ];
  const outcomes = await new PlanExecutor(kernel, { observes: false }).execute(plan(...steps), NONE);
  t.deepEqual(groups, [
    ['scsi_mod', 'libata'],
    ['ahci', 'uas'],
  ]);
  t.true(outcomes.every(({ kind }) => kind === 'inserted'));
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

/** A kernel whose insertions end when the test says so, in the order it says. */
class SlowLoader extends NotingLoader {
  readonly asked: string[] = [];
  readonly #ends = new Map<string, () => void>();

  override async insert(path: string): Promise<ErrnoName | undefined> {
    const module = moduleNameOfPath(path);
    this.asked.push(module);
    await new Promise<void>(resolve => this.#ends.set(module, resolve));
    return super.insert(path);
  }

  async end(module: string): Promise<void> {
    await new Promise(setImmediate);
    this.#ends.get(module)?.();
    await new Promise(setImmediate);
  }
}

test('of modules given in one go, who waits for one of them waits for no other', async t => {
  const kernel = new SlowLoader(() => false, moduleNameOfPath);
  const executor = new PlanExecutor(kernel, { observes: false });
  const first = executor.execute(
    plan(insert('scsi_mod', 'dependency'), insert('libata', 'dependency'), insert('ahci', 'target')),
    NONE,
  );
  const second = executor.execute(plan(insert('scsi_mod', 'dependency'), insert('virtio_scsi', 'target')), NONE);
  await kernel.end('scsi_mod');
  t.deepEqual(kernel.asked, ['scsi_mod', 'libata', 'virtio_scsi']);
  t.deepEqual(executor.inFlight, ['libata', 'ahci', 'virtio_scsi']);
  await kernel.end('virtio_scsi');
  t.deepEqual(timeless(await second), [
    { kind: 'inserted', module: 'scsi_mod' },
    { kind: 'inserted', module: 'virtio_scsi' },
  ]);
  await kernel.end('libata');
  await kernel.end('ahci');
  t.deepEqual(
    (await first).map(({ kind }) => kind),
    ['inserted', 'inserted', 'inserted'],
  );
  t.deepEqual(executor.inFlight, []);
});

test('what was not tried since another plan’s module was refused before it is tried by the plan that needs it', async t => {
  const kernel = new SlowLoader(() => false, moduleNameOfPath, new Map([[moduleName('broken'), 'ENOKEY']]));
  const executor = new PlanExecutor(kernel, { observes: false });
  const first = executor.execute(
    plan(insert('broken', 'dependency'), insert('mii', 'dependency'), insert('usbnet', 'target')),
    NONE,
  );
  const second = executor.execute(plan(insert('mii', 'target')), NONE);
  await kernel.end('broken');
  await kernel.end('mii');
  t.deepEqual(
    (await first).map(({ kind, module }) => `${module} ${kind}`),
    ['broken refused', 'mii skipped', 'usbnet skipped'],
  );
  t.deepEqual(timeless(await second), [{ kind: 'inserted', module: 'mii' }]);
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
