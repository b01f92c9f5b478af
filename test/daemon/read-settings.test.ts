import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { parseSettings, readSettings } from '../../core/daemon/read-settings.ts';
import { DEFAULT_SETTINGS, SETTINGS } from '../../core/daemon/settings.ts';
import { formatProblem, type Problem } from '../../core/vocabulary/place.ts';

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-settings-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
  return dir;
}

test('without a file every setting has its default', t => {
  t.deepEqual(readSettings(['/nowhere/usherd']), { settings: DEFAULT_SETTINGS, problems: [], files: [] });
});

test('drop-ins beat the file, in the order of their names; the stronger folder masks one of the same name', t => {
  const etc = folder({ 'usherd.toml': 'source = "kernel"\n', 'usherd.toml.d/50-a.toml': 'observe = true\n' });
  const lib = folder({
    'usherd.toml': 'coldplug = false\n',
    'usherd.toml.d/50-a.toml': 'source = "udev"\n',
    'usherd.toml.d/60-b.toml': 'receive_buffer = "1MiB"\n',
  });
  t.deepEqual(readSettings([etc, lib]), {
    settings: { ...DEFAULT_SETTINGS, source: 'kernel', coldplug: true, observe: true, receiveBufferBytes: 1024 * 1024 },
    problems: [],
    files: [
      path.join(etc, 'usherd.toml'),
      path.join(etc, 'usherd.toml.d/50-a.toml'),
      path.join(lib, 'usherd.toml.d/60-b.toml'),
    ],
  });
});

test('what cannot be used is reported with its line and left at its default, the rest is taken', t => {
  const problems: Problem[] = [];
  const text = '# mine\nsource = "kernal"\nobserve = true\nspeed = 9\n';
  t.deepEqual(parseSettings(text, 'usherd.toml', problems), { observe: true });
  t.deepEqual(problems.map(formatProblem), [
    'usherd.toml:2: source is "kernal", wanted "auto", "kernel" or "udev"',
    `usherd.toml:4: there is no setting "speed"; there are ${SETTINGS.map(({ key }) => key).join(', ')}`,
  ]);
});

test('a file that is not TOML is one problem, at its line and column', t => {
  const problems: Problem[] = [];
  t.deepEqual(parseSettings('observe = true\nsource = = 3\n', 'usherd.toml', problems), {});
  t.is(problems.length, 1);
  t.regex(problems.map(formatProblem).join(''), /^usherd\.toml:2:\d+: not TOML: /);
});

test('no text makes the reader throw', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      t.notThrows(() => parseSettings(text, 'x', []));
    }),
  );
});

test('settings of policy stand in a table, and what cannot be used in it is reported with its line', t => {
  const problems: Problem[] = [];
  const text =
    '[policy]\ndefault = "deny-unmatched"\nhold = ["usb:*ic08*"]\nusb_gate = "shut"\nallow_requests = ["a b"]\n';
  t.deepEqual(parseSettings(text, 'usherd.toml', problems), { policyDefault: 'deny-unmatched', hold: ['usb:*ic08*'] });
  t.deepEqual(problems.map(formatProblem), [
    'usherd.toml:4: policy.usb_gate is "shut", wanted "off", "interface" or "device"',
    'usherd.toml:5: policy.allow_requests is ["a b"], wanted a list of aliases, names or patterns as "fs-*"',
  ]);
});
