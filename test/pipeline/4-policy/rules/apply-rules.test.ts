import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { applyRules } from '../../../../core/pipeline/4-policy/rules/apply-rules.ts';
import { HeldBack, type StoredDevice } from '../../../../core/pipeline/4-policy/rules/rule-context.ts';
import { subjectOfDevice } from '../../../../core/pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../../../../core/pipeline/4-policy/rules/system-context.ts';
import type { MadeDevice } from '../../../support/made-sys.ts';
import { makeRuleWorld, ruleSetOf } from '../../../support/rule-world.ts';

const USB = '/devices/pci0000:00/0000:00:14.0/usb1/1-2';
const DISK = `${USB}/1-2:1.0/block/sdb`;

const DEVICES: readonly MadeDevice[] = [
  { devpath: '/devices/pci0000:00' },
  {
    devpath: '/devices/pci0000:00/0000:00:14.0',
    subsystem: 'pci',
    driver: 'xhci_hcd',
    attributes: { vendor: '0x8086\n' },
  },
  {
    devpath: '/devices/pci0000:00/0000:00:14.0/usb1',
    subsystem: 'usb',
    driver: 'usb',
    attributes: { idVendor: '1d6b\n' },
  },
  {
    devpath: USB,
    subsystem: 'usb',
    driver: 'usb',
    uevent: 'DEVTYPE=usb_device\n',
    attributes: { idVendor: '0951\n', idProduct: '1666\n', serial: 'A B\n' },
  },
  { devpath: `${USB}/1-2:1.0`, subsystem: 'usb', driver: 'usb-storage', uevent: 'DEVTYPE=usb_interface\n' },
  {
    devpath: DISK,
    subsystem: 'class/block',
    uevent: 'MAJOR=8\nMINOR=16\nDEVNAME=sdb\nDEVTYPE=disk\n',
    attributes: { size: '1000\n', 'device/model': 'Flash Disk  \n', empty: '\n' },
  },
  { devpath: '/devices/virtual/net/eth0', subsystem: 'class/net', uevent: 'INTERFACE=eth0\nIFINDEX=7\n' },
];

/** Rules, and what of the disk's result has to come out. */
const CASES: readonly {
  readonly says: string;
  readonly rules: string;
  readonly gives: Readonly<Record<string, unknown>>;
}[] = [
  { says: 'a key that matches lets the rule go on', rules: 'KERNEL=="sd?", ENV{A}="1"', gives: { A: '1' } },
  {
    says: 'one key that does not match ends the rule',
    rules: 'KERNEL=="sd?", SUBSYSTEM=="net", ENV{A}="1"',
    gives: { A: undefined },
  },
  { says: 'alternatives, one of them empty', rules: 'ENV{NONE}=="x|", ENV{A}="1"', gives: { A: '1' } },
  {
    says: '?* is anything but nothing',
    rules: 'ENV{NONE}=="?*", ENV{A}="1"\nENV{DEVTYPE}=="?*", ENV{B}="1"',
    gives: { A: undefined, B: '1' },
  },
  {
    says: 'a missing attribute matches nothing, not even its contrary',
    rules: 'ATTR{none}!="x", ENV{A}="1"\nATTR{none}=="", ENV{B}="1"',
    gives: { A: undefined, B: undefined },
  },
  {
    says: 'blanks at an attribute are not seen, unless the value has some',
    rules:
      'ATTR{device/model}=="Flash Disk", ENV{A}="1"\nATTR{device/model}=="Flash Disk  ", ENV{B}="1"\nATTR{device/model}=="Flash Disk ", ENV{C}="1"',
    gives: { A: '1', B: '1', C: undefined },
  },
  {
    says: 'climbing keys hold on one device together',
    rules:
      'SUBSYSTEMS=="usb", ATTRS{idVendor}=="0951", ENV{A}="$id $driver"\nSUBSYSTEMS=="pci", ATTRS{idVendor}=="0951", ENV{B}="1"',
    gives: { A: '1-2 usb', B: undefined },
  },
  {
    says: '$attr is looked for at the chosen device, too',
    rules: 'ATTRS{idVendor}=="0951", ENV{A}="$attr{serial}|$attr{size}"',
    gives: { A: 'A B|1000' },
  },
  { says: 'upper and lower case are the same behind i', rules: 'ENV{DEVTYPE}==i"DISK", ENV{A}="1"', gives: { A: '1' } },
  { says: 'escapes of C behind e', rules: String.raw`ENV{A}=e"a\tb\x41"`, gives: { A: 'a\tbA' } },
  { says: 'without e a backslash is itself', rules: String.raw`ENV{A}="a\tb\"c"`, gives: { A: String.raw`a\tb"c` } },
  {
    says: '+= joins with a blank, = with nothing takes away',
    rules: 'ENV{A}="1", ENV{A}+="2"\nENV{B}="1"\nENV{B}=""',
    gives: { A: '1 2', B: undefined },
  },
  {
    says: 'keys are gone through in their order of rank, not as written',
    rules: 'ENV{A}="1", KERNEL=="nope"',
    gives: { A: undefined },
  },
  {
    says: 'GOTO jumps, to the next label of its name',
    rules: 'GOTO="x"\nENV{A}="1"\nLABEL="x", ENV{B}="1"\nLABEL="x"',
    gives: { A: undefined, B: '1' },
  },
  {
    says: 'a GOTO that is not taken jumps over nothing',
    rules: 'KERNEL=="nope", GOTO="x"\nENV{A}="1"\nLABEL="x"',
    gives: { A: '1' },
  },
  {
    says: 'a GOTO on a fixed key is taken from before into a part that another jumped over',
    rules:
      'ATTR{size}=="1000", GOTO="b"\nSUBSYSTEM=="block", GOTO="c"\nENV{A}="1"\nLABEL="b", ENV{B}="1"\nLABEL="c", ENV{C}="1"',
    gives: { A: undefined, B: '1', C: '1' },
  },
  {
    says: 'all substitutions',
    rules: 'ENV{A}="%k $kernel %n $number %p %M:%m $major:$minor %r %S $$ %%"',
    gives: { A: `sdb sdb   ${DISK} 8:16 8:16 ROOT/dev ROOT/sys $ %` },
  },
  {
    says: 'PROGRAM gives its words',
    rules: 'PROGRAM=="/bin/echo one two  three", ENV{A}="%c{2}|%c{2+}|$result"\nRESULT=="one*", ENV{B}="1"',
    gives: { A: 'two|two three|one two three', B: '1' },
  },
  {
    says: 'a program that fails does not match, and matches its contrary',
    rules: 'PROGRAM=="/bin/false", ENV{A}="1"\nPROGRAM!="/bin/false", ENV{B}="1"',
    gives: { A: undefined, B: '1' },
  },
  {
    says: 'a program that is not there does not match',
    rules: 'PROGRAM=="/nowhere/x", ENV{A}="1"',
    gives: { A: undefined },
  },
  {
    says: 'a program is given the properties and nothing else, and no shell',
    rules: `ENV{X}="1", PROGRAM=="/usr/bin/env"\nRESULT=="*X=1*", RESULT!="*PATH=*", ENV{A}="1"\nPROGRAM=="/bin/echo $$HOME;id", ENV{B}="%c"`,
    gives: { A: undefined, B: '$HOME_id' },
  },
  {
    says: 'IMPORT{program} takes lines, but not what the kernel says',
    rules: String.raw`IMPORT{program}="/usr/bin/printf 'P=1\nQ=\"x y\"\nMAJOR=99\nbad\n'"`,
    gives: { P: '1', Q: 'x y', MAJOR: '8' },
  },
  {
    says: 'IMPORT{parent} and IMPORT{db} take what was stored',
    rules: 'IMPORT{parent}="ID_*", IMPORT{db}="OLD", ENV{A}="1"',
    gives: { ID_X: 'p', NOT: undefined, OLD: 'd', A: '1' },
  },
  {
    says: 'IMPORT{cmdline} takes a word of the kernel command line',
    rules: 'IMPORT{cmdline}="quiet"\nIMPORT{cmdline}="root"\nIMPORT{cmdline}="none", ENV{A}="1"',
    gives: { quiet: '1', root: '/dev/vda', A: undefined },
  },
  {
    says: 'TEST looks below the device, and at the mode',
    rules:
      'TEST=="device/model", ENV{A}="1"\nTEST=="none", ENV{B}="1"\nTEST{0111}=="size", ENV{C}="1"\nTEST!="none", ENV{D}="1"',
    gives: { A: '1', B: undefined, C: undefined, D: '1' },
  },
  {
    says: 'string_escape counts for its rule',
    rules: 'OPTIONS="string_escape=replace", ENV{A}="a b/c"\nENV{B}="a b/c"',
    gives: { A: 'a_b_c', B: 'a b/c' },
  },
  {
    says: 'a tag matches once it is given',
    rules: 'TAG+="x"\nTAG=="x", ENV{A}="1"\nTAG-="x"\nTAG!="x", ENV{B}="1"',
    gives: { A: '1', B: '1' },
  },
  {
    says: 'a property beyond its bound is not set',
    rules: `ENV{A}="${'x'.repeat(9000)}"\nENV{B}="$env{A}$env{A}"`,
    gives: { A: 'x'.repeat(9000), B: undefined },
  },
];

for (const { says, rules, gives } of CASES) {
  test(says, async t => {
    const stored: Readonly<Record<string, StoredDevice>> = {
      [`${USB}/1-2:1.0`]: {
        properties: new Map([
          ['ID_X', 'p'],
          ['NOT', 'p'],
        ]),
        tags: [],
        links: [],
      },
      [DISK]: { properties: new Map([['OLD', 'd']]), tags: [], links: [] },
    };
    const world = makeRuleWorld(t, [...DEVICES, { devpath: '/proc-is-elsewhere' }], stored);
    writeFileSync(path.join(world.roots.root, 'cmdline'), 'quiet root=/dev/vda');
    const context = new SystemContext({ ...world.roots, proc: world.roots.root }, ({ devpath }) => stored[devpath]);
    const { runRuleProgram } = await import('../../../../core/daemon/rules-in-force.ts');
    const { properties } = await applyRules(
      ruleSetOf(rules),
      await subjectOfDevice(DISK, 'add', world.roots),
      context,
      {
        runProgram: runRuleProgram,
      },
    );
    const got = Object.fromEntries(
      Object.keys(gives).map(key => [key, properties.get(key)?.replaceAll(world.roots.root, 'ROOT')]),
    );
    t.deepEqual(got, gives);
  });
}

test('what a driver may hold back is read aside, wherever a rule asks for it, and the rules go on from there', async t => {
  const { roots, apply } = makeRuleWorld(t, DEVICES);
  const subject = await subjectOfDevice(DISK, 'add', roots);
  t.throws(() => subject.device?.parent?.parent?.attribute('serial'), { instanceOf: HeldBack });
  const context = new SystemContext(roots);
  t.false(applyRules(ruleSetOf('ATTRS{idVendor}=="0951", ENV{A}="1"'), subject, context) instanceof Promise);
  t.true(applyRules(ruleSetOf('ATTRS{serial}=="A B", ENV{A}="1"'), subject, context) instanceof Promise);
  const { properties } = await apply(
    [
      'ENV{N}+="1"',
      'ATTRS{serial}=="A B", ENV{N}+="2", ENV{S}="$attr{serial}"',
      'ATTR{[usb/1-2]serial}=="A B", ENV{N}+="3", ENV{O}="$attr{[usb/1-2]serial}"',
      'IMPORT{parent}="DEVTYPE", IMPORT{builtin}="usb_id", ENV{N}+="4"',
      'TEST=="[usb/1-2]serial", ENV{N}+="5"',
    ].join('\n'),
    DISK,
  );
  t.deepEqual(
    ['N', 'S', 'O', 'ID_SERIAL_SHORT'].map(key => properties.get(key)),
    ['1 2 3 4 5', 'A B', 'A B', 'A_B'],
  );
});

test('links, permissions, run list and writes are values; nothing has been done', async t => {
  const { roots, apply } = makeRuleWorld(t, DEVICES);
  const result = await apply(
    [
      'SYMLINK+="disk/by-x/$attr{device/model} two", OPTIONS+="link_priority=-7"',
      'SYMLINK+="../../etc/passwd a//./b"',
      'OWNER="0", GROUP:="6", MODE="0640", SECLABEL{selinux}="x"',
      'GROUP="7", RUN+="/bin/echo $env{LATE}", RUN{builtin}+="kmod load sg", TAG+="seat"',
      'ENV{LATE}="1", ATTR{power}="on", ATTR{[usb/1-2]authorized}="0", SYSCTL{net.ipv4.x}="1", OPTIONS+="watch"',
      'SYMLINK:="last"',
      'SYMLINK+="too-late"',
    ].join('\n'),
    DISK,
  );
  const { properties: _, notes, attributes, sysctls, run, ...said } = result;
  t.deepEqual(said, {
    tags: ['seat'],
    links: ['last'],
    linkPriority: -7,
    owner: 0,
    group: 6,
    mode: 0o640,
    seclabels: new Map([['selinux', 'x']]),
    watch: true,
    dbPersist: false,
    parameters: [],
  });
  t.deepEqual(
    notes.map(({ message }) => message),
    [`the link "../../etc/passwd" would lead out of ${roots.dev}`],
  );
  t.deepEqual(
    run.map(({ kind, command }) => [kind, command]),
    [
      ['builtin', 'kmod load sg'],
      ['program', '/bin/echo '],
    ],
  );
  t.deepEqual(
    [...attributes, ...sysctls].map(({ file, value }) => [file.replace(roots.sys, ''), value]),
    [
      [`${DISK}/power`, 'on'],
      [`${USB}/authorized`, '0'],
      ['net/ipv4/x', '1'],
    ],
  );
});

test('a link of several words is several links, and unsafe characters become _', async t => {
  const { apply } = makeRuleWorld(t, DEVICES);
  const { links } = await apply('SYMLINK+="one two by-model/$attr{device/model} a*b ü"', DISK);
  t.deepEqual(links, ['one', 'two', 'by-model/Flash_Disk', 'a_b', 'ü']);
});

test('an interface can be named, a node cannot', async t => {
  const { apply } = makeRuleWorld(t, DEVICES);
  t.is((await apply('NAME="lan/0"', '/devices/virtual/net/eth0')).name, 'lan_0');
  const { name, notes } = await apply('NAME="other", ENV{A}="1"', DISK);
  t.deepEqual([name, notes.length], [undefined, 1]);
});

test('on removal rules that only give links are left out', async t => {
  const { apply } = makeRuleWorld(t, DEVICES);
  const { links, properties } = await apply('SYMLINK+="x"\nACTION=="remove", ENV{A}="1"', DISK, { action: 'remove' });
  t.deepEqual([links, properties.get('A')], [[], '1']);
});

const token = fc.constantFrom(
  'ACTION=="add"',
  'ACTION!="remove"',
  'SUBSYSTEM=="block"',
  'SUBSYSTEM!="block|net"',
  'ENV{DEVTYPE}=="disk"',
  'ENV{DEVTYPE}!="disk"',
  'KERNEL=="sd*"',
  'ENV{A}=="1"',
  'ENV{A}="1"',
  'ENV{B}+="2"',
  'GOTO="x"',
  'GOTO="y"',
  'LABEL="x"',
  'LABEL="y"',
);

test('rules put aside beforehand would not have changed the result', async t => {
  const { roots } = makeRuleWorld(t, DEVICES);
  const context = new SystemContext(roots);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(token, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), async lines => {
      const set = ruleSetOf(lines.map(words => words.join(', ')).join('\n'));
      for (const devpath of [DISK, '/devices/virtual/net/eth0', USB]) {
        const subject = await subjectOfDevice(devpath, 'add', roots);
        const quick = await applyRules(set, subject, context);
        const whole = await applyRules(set, subject, context, { observe: () => {} });
        t.deepEqual([...quick.properties], [...whole.properties]);
      }
    }),
  );
});
