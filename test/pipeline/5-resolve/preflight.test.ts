import test from 'ava';
import type { ModuleFacts } from '../../../core/kernel/module-facts.ts';
import { preflight, type KernelFacts } from '../../../core/pipeline/5-resolve/preflight.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';

const FACTS: ModuleFacts = {
  module: moduleName('mine'),
  file: '/mine.ko',
  license: 'GPL',
  vermagic: '6.1.0-1 SMP mod_unload ',
  isInTree: true,
  isStaging: false,
  isLivePatch: false,
  isTest: false,
  isSigned: true,
  signer: 'somebody',
  depends: [],
  firmware: [],
  parameters: [],
  neededSymbols: [],
  hasModversions: false,
};
const KERNEL: KernelFacts = {
  release: '6.1.0-1',
  restrictions: { lockdown: 'none', enforcesSignatures: false, modulesDisabled: false, hasModules: true },
  vermagic: '6.1.0-1 SMP mod_unload ',
  checksSignatures: true,
  symbols: new Set(['printk']),
};
const SETTING = { has: () => false, exportersOf: () => [] };

test('a module that fits its kernel gives nothing to say', t => {
  t.deepEqual(preflight(FACTS, KERNEL, SETTING), []);
});

test('vermagic is compared whole, without the release when symbols have checksums, and not at all by force', t => {
  const other = { ...FACTS, vermagic: '6.1.0-2 SMP mod_unload ' };
  t.deepEqual(preflight(other, KERNEL, SETTING), [
    {
      kind: 'vermagic',
      severity: 'refusal',
      message: 'it was built for "6.1.0-2 SMP mod_unload", this kernel is "6.1.0-1 SMP mod_unload"',
    },
  ]);
  t.deepEqual(preflight({ ...other, hasModversions: true }, KERNEL, SETTING), []);
  const force = { modversion: false, vermagic: true };
  t.deepEqual(
    preflight(other, KERNEL, { ...SETTING, force }).map(({ kind }) => kind),
    ['taint'],
  );
});

test('a kernel without a module to compare with is compared by its release, which only warns', t => {
  const { vermagic: _vermagic, ...rest } = KERNEL;
  const kernel = { ...rest, vermagic: undefined, release: '6.6.0' };
  t.deepEqual(preflight(FACTS, kernel, SETTING), [
    { kind: 'vermagic', severity: 'warning', message: 'it was built for "6.1.0-1", this kernel is "6.6.0"' },
  ]);
});

test('an unknown symbol is said with the module to load first', t => {
  const facts = { ...FACTS, neededSymbols: ['printk', 'core_fn', 'mine_fn'] };
  const exportersOf = (symbol: string) => (symbol === 'core_fn' ? [moduleName('core')] : []);
  t.deepEqual(preflight(facts, KERNEL, { ...SETTING, exportersOf }), [
    { kind: 'symbol', severity: 'refusal', message: 'the kernel has no symbol core_fn, mine_fn: load core first' },
  ]);
  const coming = { exportersOf, has: (module: string) => module === 'core' };
  t.deepEqual(preflight({ ...FACTS, neededSymbols: ['core_fn'] }, KERNEL, coming), []);
});

test('a kernel that wants signatures refuses a module without one, and must know the key of one that has it', t => {
  const restrictions = { ...KERNEL.restrictions, enforcesSignatures: true };
  const said = [true, false].map(isSigned =>
    preflight({ ...FACTS, isSigned }, { ...KERNEL, restrictions }, SETTING).map(
      ({ kind, severity }) => `${kind} ${severity}`,
    ),
  );
  t.deepEqual(said, [['signature note'], ['signature refusal', 'taint note']]);
});

test('a kernel that loads nothing is said first', t => {
  const restrictions = { ...KERNEL.restrictions, modulesDisabled: true };
  t.deepEqual(preflight(FACTS, { ...KERNEL, restrictions }, SETTING), [
    {
      kind: 'modules-disabled',
      severity: 'refusal',
      message: 'kernel.modules_disabled is 1: nothing loads until the next boot',
    },
  ]);
});
