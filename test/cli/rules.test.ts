import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeSys } from '../support/made-sys.ts';
import { jsonLines, usher } from '../support/usher.ts';

const NIC = '/devices/pci0000:00/0000:00:03.0';
const ALIAS = 'pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00';

/** A system with a network card, a module for it, and these rules. */
function makeSystem(t: ExecutionContext, rules: string): { root: string; file: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'usherd-rules-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  makeSys(path.join(root, 'sys'), [
    {
      devpath: NIC,
      subsystem: 'pci',
      uevent: `MODALIAS=${ALIAS}\n`,
      attributes: { device: '0x10d3\n', modalias: `${ALIAS}\n` },
    },
  ]);
  const tree = path.join(root, 'lib/modules/6.1.0-test');
  mkdirSync(tree, { recursive: true });
  writeFileSync(path.join(tree, 'modules.dep'), 'kernel/e1000e.ko:\n');
  writeFileSync(path.join(tree, 'modules.alias'), 'alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e\n');
  const file = path.join(root, 'etc/usherd/rules.d/50.rules');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, rules);
  return { root, file };
}

test('check prints each problem with its place and what to write, and 1 is the status', async t => {
  const { root, file } = makeSystem(t, 'KERNL=="x", TAG+="a"\nOWNER="nobody-here",MODE="0600"\n');
  const { status, stdout } = await usher('rules', 'check', '--root', root);
  t.is(
    stdout.replaceAll(file, 'FILE'),
    [
      'FILE:1:1: error: there is no key "KERNL"; the rule is left out',
      '    write KERNEL',
      'FILE:2:20: style: a blank is missing behind the comma',
      '    write , ',
      'FILE:2:1: warning: there is no user "nobody-here" here',
      '1 file: 3 problems',
      '',
    ].join('\n'),
  );
  t.is(status, 1);
  const [first] = jsonLines(await usher('rules', 'check', '--json', file));
  t.deepEqual(first, {
    file,
    line: 1,
    column: 1,
    severity: 'error',
    message: 'there is no key "KERNL"; the rule is left out',
    suggestion: 'KERNEL',
  });
});

test('check of rules with nothing but style is no failure', async t => {
  const { root } = makeSystem(t, 'KERNEL=="x",TAG+="a"\n');
  t.is((await usher('rules', 'check', '--root', root)).status, 0);
});

test('test tells rule by rule what matched, on which key one did not, and what came of it', async t => {
  const { root, file } = makeSystem(
    t,
    'ACTION=="remove", GOTO="end"\nSUBSYSTEM=="pci", ATTR{device}=="0x10d4", ENV{A}="1"\nATTR{device}=="0x10d3", ENV{B}="$attr{device}", TAG+="t"\nMODULE=="e1000e", VERDICT="hold", REASON="ask first"\nLABEL="end"\n',
  );
  const { stdout, status } = await usher('rules', 'test', NIC, '--root', root, '--kernel', '6.1.0-test');
  t.is(
    stdout.replaceAll(file, 'FILE'),
    [
      `add ${NIC}`,
      'no  FILE:1  ACTION=="remove" but it is "add"',
      'no  FILE:2  ATTR{device}=="0x10d4" but it is "0x10d3"',
      'yes FILE:3',
      '      ENV{B}="$attr{device}"',
      '      TAG+="t"',
      'so',
      `  DEVPATH=${NIC}`,
      `  MODALIAS=${ALIAS}`,
      '  ACTION=add',
      '  SUBSYSTEM=pci',
      '  B=0x10d3',
      '  tags: t',
      '  module e1000e: hold, ask first (FILE:4)',
      '',
    ].join('\n'),
  );
  t.is(status, 0);
  const [told] = jsonLines<{ rules: readonly { isMatched: boolean }[]; tags: readonly string[] }>(
    await usher('rules', 'test', NIC, '--root', root, '--kernel', '6.1.0-test', '--json', '--matched'),
  );
  t.deepEqual([told?.rules.length, told?.tags], [1, ['t']]);
  t.is((await usher('rules', 'test', 'nothing-like-it', '--root', root)).status, 1);
  t.is((await usher('rules', 'test', NIC, '--action', 'ad', '--root', root)).status, 2);
});

test('why shows the opinion of a rule with its file and line', async t => {
  const { root, file } = makeSystem(t, 'SUBSYSTEM=="pci", VERDICT="deny", REASON="not in this house"\n');
  const { stdout } = await usher('why', NIC, '--root', root, '--kernel', '6.1.0-test');
  t.true(stdout.includes('not in this house'), stdout);
  t.true(stdout.includes(`${file}:1`), stdout);
});

test('OPTIONS{module} of a rule stands in the plan', async t => {
  const { root } = makeSystem(t, 'ATTR{device}=="0x10d3", OPTIONS{module}+="debug=1", OPTIONS{module}+="irq=2"\n');
  const [told] = jsonLines<{
    plans: readonly { steps: readonly { parameters?: string; optionPlaces?: readonly { line: number }[] }[] }[];
  }>(await usher('why', NIC, '--root', root, '--kernel', '6.1.0-test', '--json'));
  const step = told?.plans[0]?.steps.at(-1);
  t.deepEqual([step?.parameters, step?.optionPlaces?.map(({ line }) => line)], ['debug=1 irq=2', [1, 1]]);
});

test('fmt prints, says or changes', async t => {
  const { file } = makeSystem(t, 'KERNEL == "x" ,TAG+="a"\n');
  t.deepEqual(await usher('rules', 'fmt', file), { status: 0, stdout: 'KERNEL=="x", TAG+="a"\n', stderr: '' });
  t.deepEqual(await usher('rules', 'fmt', '--check', file), {
    status: 1,
    stdout: `${file}: not formatted\n`,
    stderr: '',
  });
  t.deepEqual(await usher('rules', 'fmt', '--write', file), { status: 0, stdout: `${file}: formatted\n`, stderr: '' });
  t.is(readFileSync(file, 'utf8'), 'KERNEL=="x", TAG+="a"\n');
  t.is((await usher('rules', 'fmt', '--check', file)).status, 0);
});

test('import prints rules, and names the lines that cannot be rules', async t => {
  const { root } = makeSystem(t, '');
  const file = path.join(root, 'rules.conf');
  writeFileSync(file, 'allow 1d6b:0002\nallow hash "x"\n');
  const { stdout, stderr, status } = await usher('rules', 'import', 'usbguard', file);
  t.regex(stdout, /ENV\{PRODUCT\}=="1d6b\/2\/\*", VERDICT:="allow"/);
  t.regex(stderr, /rules\.conf:2: hash/);
  t.is(status, 1);
  t.is((await usher('rules', 'import', 'nothing', file)).status, 2);
});

test('stats names each rule, and does not call one unused before the ledger is old enough', async t => {
  const { root, file } = makeSystem(t, 'KERNEL=="x", TAG+="a"\nGOTO="e"\nLABEL="e"\n');
  t.deepEqual(jsonLines(await usher('rules', 'stats', '--root', root, '--json')), [
    { place: `${file}:1`, hits: 0, last: null, isUnused: false },
  ]);
  t.regex(
    (await usher('rules', 'stats', '--root', root)).stdout,
    /not long enough to say what has not matched for 90 days/,
  );
});
