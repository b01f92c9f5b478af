import test from 'ava';
import * as fc from 'fast-check';
import { parseKernelCommandLine } from '../../../core/kmod/config/kernel-command-line.ts';

function optionsOf(text: string): string[] {
  return parseKernelCommandLine(text, '/proc/cmdline').directives.map(directive =>
    directive.kind === 'options'
      ? `${directive.module} ${directive.text}`
      : `${directive.kind} ${'module' in directive ? directive.module : ''}`,
  );
}

test('module parameters and modprobe.blacklist are taken from among all the other words', t => {
  t.deepEqual(
    optionsOf(
      'BOOT_IMAGE=/vmlinuz-6.1 root=UUID=a.b ro quiet usb-core.quirks=a:b nomodeset i915.modeset modprobe.blacklist=nouveau,radeon\n',
    ),
    ['usb_core quirks=a:b', 'i915 modeset', 'blacklist nouveau', 'blacklist radeon'],
  );
});

test('quotes keep blanks in a value, and move to the value when they stand around the word', t => {
  t.deepEqual(optionsOf('mod.p="a b" "mod.q=c d" mod.r=e'), ['mod p="a b"', 'mod q="c d"', 'mod r=e']);
});

test('a second dot before the equals sign, or none, makes a word none of ours', t => {
  t.deepEqual(optionsOf('a.b.c=1 x=1.2 .p=1 m.=1 plain "a b.c=1"'), []);
  t.deepEqual(optionsOf('m.p=1.2.3=4'), ['m p=1.2.3=4']);
});

test('what the kernel itself refuses is kept apart, normalised and with its place', t => {
  const { kernelBlacklist, directives } = parseKernelCommandLine(
    'quiet module_blacklist=usb-storage,uas',
    '/proc/cmdline',
  );
  t.deepEqual(kernelBlacklist as unknown, [
    { module: 'usb_storage', place: { file: '/proc/cmdline', line: 1, column: 7 } },
    { module: 'uas', place: { file: '/proc/cmdline', line: 1, column: 7 } },
  ]);
  t.deepEqual(directives, []);
});

test('a blacklisted name with a dash matches nothing, and that is said', t => {
  const { directives, problems } = parseKernelCommandLine('modprobe.blacklist=usb-storage', '/proc/cmdline');
  t.is(directives[0]?.kind, 'blacklist');
  t.deepEqual(problems, [
    {
      place: { file: '/proc/cmdline', line: 1, column: 1 },
      message:
        'found "modprobe.blacklist=usb-storage", wanted "usb_storage": names are not normalised here, so it matches nothing',
    },
  ]);
});

test('any command line is read to its end', t => {
  const unit = fc.constantFrom(
    'modprobe.blacklist=',
    'a',
    '.',
    '=',
    '"',
    ' ',
    ',',
    '-',
    '[',
    '\n',
    'module_blacklist=',
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), text => {
      const { directives } = parseKernelCommandLine(text, 'x');
      t.true(directives.every(({ kind }) => kind === 'options' || kind === 'blacklist'));
    }),
    { numRuns: 500 },
  );
});
