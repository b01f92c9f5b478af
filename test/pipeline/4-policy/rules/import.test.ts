import test from 'ava';
import * as fc from 'fast-check';
import { importBlacklist } from '../../../../core/pipeline/4-policy/rules/import/import-blacklist.ts';
import { importUsbguard } from '../../../../core/pipeline/4-policy/rules/import/import-usbguard.ts';
import { checkRules } from '../../../../core/pipeline/4-policy/rules/check-rules.ts';
import { formatProblem } from '../../../../core/vocabulary/place.ts';

/** USBGuard's line → ours behind the two lines every import begins with, or why not. */
const LINES: readonly (readonly [theirs: string, ours: string])[] = [
  ['allow', 'SUBSYSTEM=="usb", VERDICT:="allow", REASON="USBGuard: allow"'],
  ['allow 1d6b:0002', 'SUBSYSTEM=="usb", ENV{PRODUCT}=="1d6b/2/*", VERDICT:="allow", REASON="USBGuard: allow"'],
  ['block id 046d:*', 'SUBSYSTEM=="usb", ENV{PRODUCT}=="46d/*", VERDICT:="deny", REASON="USBGuard: block"'],
  ['block id *:*', 'SUBSYSTEM=="usb", ENV{PRODUCT}=="*/*", VERDICT:="deny", REASON="USBGuard: block"'],
  [
    'allow id one-of { 046d:c31c 046d:c077 }',
    'SUBSYSTEM=="usb", ENV{PRODUCT}=="46d/c31c/*|46d/c077/*", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  [
    'allow name "My \\"Key\\" *" serial "A|B"',
    String.raw`SUBSYSTEM=="usb", ATTRS{product}=="My \"Key\" \*", ATTRS{serial}=="A?B", VERDICT:="allow", REASON="USBGuard: allow"`,
  ],
  [
    'block via-port none-of { "1-1" "1-2" }',
    'SUBSYSTEM=="usb", KERNELS!="1-1|1-2", VERDICT:="deny", REASON="USBGuard: block"',
  ],
  [
    'allow with-connect-type "hardwired"',
    'SUBSYSTEM=="usb", ATTRS{port/connect_type}=="hardwired", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  [
    'block with-interface one-of { 03:*:* 08:06:50 }',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}=="*:03????:*|*:080650:*", VERDICT:="deny", REASON="USBGuard: block"',
  ],
  [
    'block with-interface all-of { 08:*:* 03:00:* }',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}=="*:08????:*", ENV{ID_USB_INTERFACES}=="*:0300??:*", VERDICT:="deny", REASON="USBGuard: block"',
  ],
  [
    'allow with-interface 08:06:50',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}==":080650:", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  [
    'allow with-interface equals { 03:01:01 03:00:00 }',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}==":030101:030000:|:030000:030101:", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  [
    'allow with-interface match-all { 03:*:* 08:*:* }',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}==":03????:|:03????:08????:|:08????:|:08????:03????:", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  [
    'allow with-interface equals-ordered { 03:01:01 03:00:00 }',
    'SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}==":030101:030000:", VERDICT:="allow", REASON="USBGuard: allow"',
  ],
  ['allow label "desk $1" if true', 'SUBSYSTEM=="usb", VERDICT:="allow", REASON="USBGuard: allow, desk $$1"'],
  ['allow hash "jEP="', 'rules.conf:1: hash: it is a sum over descriptors that rules cannot make; say id and serial'],
  [
    'allow parent-hash "jEP="',
    'rules.conf:1: parent-hash: it is a sum over descriptors that rules cannot make; say via-port',
  ],
  [
    'allow if localtime(08:00-17:00)',
    'rules.conf:1: if localtime(08:00-17:00): rules know neither the time nor what was decided before; a plugin or usher permit can',
  ],
  ['allow serial all-of { "a" "b" }', 'rules.conf:1: serial: a device has one, so all-of of 2 never matches'],
  ['match id 1:2', 'rules.conf:1: found "match", wanted allow, block or reject'],
  [
    'allow frobnicate x',
    'rules.conf:1: found "frobnicate", wanted one of id, name, serial, hash, parent-hash, via-port, with-interface, with-connect-type, label or if',
  ],
  ['allow name "open', 'rules.conf:1: a text has no closing quote'],
  ['allow id { 1:2', 'rules.conf:1: id: the { is never closed'],
];

for (const [theirs, ours] of LINES) {
  test(`USBGuard's ${theirs} becomes a rule, or is named with why not`, t => {
    const { text, problems } = importUsbguard(theirs, 'rules.conf');
    t.is([...text.split('\n').slice(2, -1), ...problems.map(formatProblem)].join('\n'), ours);
    t.deepEqual(
      checkRules(text, 'x.rules').filter(({ severity }) => severity !== 'style'),
      [],
    );
  });
}

test('reject denies, and says what it does not do', t => {
  const { text, problems } = importUsbguard('# comment\n\nreject id 1234:5678\n', 'rules.conf');
  t.true(text.includes('VERDICT:="deny"'));
  t.deepEqual(problems.map(formatProblem), [
    'rules.conf:3: reject: no driver loads, but the device is not taken off its bus',
  ]);
});

test('whatever is imported, what comes out is rules without an error', t => {
  const word = fc.constantFrom(
    'allow',
    'block',
    'id',
    'name',
    'serial',
    'with-interface',
    'one-of',
    '{',
    '}',
    'if',
    '"',
    '"a b"',
    '1:2',
    '08:*:*',
    'true',
    '!x(y)',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word).map(words => `allow ${words.join(' ')}`),
        fc.string(),
      ),
      line => checkRules(importUsbguard(line, 'x').text, 'x.rules').every(({ severity }) => severity !== 'error'),
    ),
  );
  t.pass();
});

test('lines of modprobe.d that keep a module out become rules that deny it', t => {
  const { text, problems } = importBlacklist(
    'blacklist pcspkr\ninstall dccp /bin/false\ninstall x echo hi\noptions y z=1\n',
    '/etc/modprobe.d/a.conf',
  );
  t.is(
    text,
    'MODULE=="pcspkr", VERDICT="deny", REASON="as /etc/modprobe.d/a.conf:1 says"\nMODULE=="dccp", VERDICT="deny", REASON="as /etc/modprobe.d/a.conf:2 says"\n',
  );
  t.deepEqual(problems.map(formatProblem), [
    '/etc/modprobe.d/a.conf:3: install x runs a command; it stays in modprobe.d',
  ]);
  t.deepEqual(checkRules(text, 'x.rules'), []);
});
