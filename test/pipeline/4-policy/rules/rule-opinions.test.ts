import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemRoot } from '../../../../core/kernel/system-root.ts';
import type { ModuleTraits } from '../../../../core/kernel/module-traits.ts';
import type { Opinion } from '../../../../core/pipeline/4-policy/opinion.ts';
import type { Asker } from '../../../../core/pipeline/4-policy/question.ts';
import { ruleOpinions } from '../../../../core/pipeline/4-policy/rules/rule-opinions.ts';
import { SystemContext } from '../../../../core/pipeline/4-policy/rules/system-context.ts';
import type { Devpath } from '../../../../core/vocabulary/devpath.ts';
import { modalias } from '../../../../core/vocabulary/modalias.ts';
import { moduleName } from '../../../../core/vocabulary/module-name.ts';
import { makeSys } from '../../../support/made-sys.ts';
import { ruleSetOf } from '../../../support/rule-world.ts';

const NIC = '/devices/pci0000:00/0000:00:03.0' as Devpath;
const device: Asker = {
  kind: 'device',
  device: { devpath: NIC, subsystem: 'pci', modalias: modalias('pci:v00008086') },
};

/** What rules say of a module that somebody asks for. */
async function ask(
  t: ExecutionContext,
  rules: string,
  {
    module = 'e1000e',
    role = 'target',
    asker = device,
    traits,
  }: { module?: string; role?: 'target' | 'dependency'; asker?: Asker; traits?: ModuleTraits } = {},
): Promise<{ opinions: readonly Opinion[]; programs: number }> {
  const root = mkdtempSync(path.join(tmpdir(), 'usherd-rules-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const roots = systemRoot({ root }, { env: {}, uid: 0 });
  makeSys(roots.sys, [{ devpath: NIC, subsystem: 'pci', attributes: { vendor: '0x8086\n', device: '0x10d3\n' } }]);
  let programs = 0;
  const context = new SystemContext(roots);
  const set = ruleSetOf(rules, '/etc/usherd/rules.d/50.rules');
  const source = ruleOpinions({
    ruleSet: () => set,
    context: () => context,
    runProgram: async () => String((programs += 1)),
    traitsOf: () => traits,
    places: roots,
  });
  const name = moduleName(module);
  const candidate = { module: name, match: { module: name, source: 'alias' } } as never;
  const question = { module: name, role, candidate, asker };
  const opinions = await source.opinionsOn(question);
  await source.opinionsOn(question);
  return { opinions, programs };
}

const place = (line: number, column: number) => ({ file: '/etc/usherd/rules.d/50.rules', line, column });

test('a verdict comes with its reason and the line it stands on', async t => {
  const { opinions } = await ask(
    t,
    'SUBSYSTEM=="pci", ATTR{device}=="0x10d3", VERDICT="hold", REASON="ask $attr{vendor} first"',
  );
  t.deepEqual(opinions, [
    { verdict: 'hold', module: moduleName('e1000e'), by: 'rule', reason: 'ask 0x8086 first', place: place(1, 43) },
  ]);
});

test('the last verdict counts, until one is closed', async t => {
  const verdictOf = async (rules: string) => (await ask(t, rules)).opinions.map(({ verdict }) => verdict);
  t.deepEqual(await verdictOf('VERDICT="deny"\nVERDICT="allow"'), ['allow']);
  t.deepEqual(await verdictOf('VERDICT:="deny"\nVERDICT="allow"'), ['deny']);
  t.deepEqual(await verdictOf('MODULE=="other", VERDICT="deny"'), []);
  t.deepEqual(await verdictOf('MODULE=="e1000*", VERDICT="deny"'), ['deny']);
  t.deepEqual(await verdictOf('ENV{X}="1"'), []);
});

test('another module is put in place of a target only', async t => {
  const rules = 'SUBSYSTEM=="pci", MODULE="vfio-pci", OPTIONS{module}+="ids=8086:10d3"';
  const { opinions } = await ask(t, rules);
  t.deepEqual(
    opinions.map(({ verdict, replacement, parameters }) => ({ verdict, replacement, parameters })),
    [
      { verdict: 'replace', replacement: moduleName('vfio_pci'), parameters: undefined },
      { verdict: 'abstain', replacement: undefined, parameters: 'ids=8086:10d3' },
    ],
  );
  t.deepEqual((await ask(t, rules, { role: 'dependency' })).opinions, []);
});

test('licence, signer and taints of the module can be asked for', async t => {
  const traits = { license: 'Proprietary', signer: '', taints: ['P', 'O', 'E'] };
  const verdictOf = async (rules: string) => (await ask(t, rules, { traits })).opinions.map(({ verdict }) => verdict);
  t.deepEqual(await verdictOf('LICENSE!="GPL*", SIGNER=="", TAINTS=="P", VERDICT="deny"'), ['deny']);
  t.deepEqual(await verdictOf('TAINTS!="O", VERDICT="deny"'), []);
  t.deepEqual(await verdictOf('TAINTS=="C", VERDICT="deny"'), []);
});

test('where no device asks, nothing of a device matches, nor does its contrary', async t => {
  const asker: Asker = { kind: 'kernel', alias: 'net-pf-33' };
  const verdictOf = async (rules: string) => (await ask(t, rules, { asker })).opinions.map(({ verdict }) => verdict);
  t.deepEqual(await verdictOf('SUBSYSTEM!="pci", VERDICT="deny"'), []);
  t.deepEqual(await verdictOf('ORIGIN=="request", MODALIAS=="net-pf-*", VERDICT="deny"'), ['deny']);
  t.deepEqual(await verdictOf('ORIGIN=="administrator", VERDICT="deny"'), []);
});

test('a program runs once for one who asks, however many modules are in question', async t => {
  const { programs, opinions } = await ask(t, 'PROGRAM=="/bin/x", RESULT=="1", VERDICT="deny"');
  t.deepEqual([programs, opinions.map(({ verdict }) => verdict)], [1, ['deny']]);
});
