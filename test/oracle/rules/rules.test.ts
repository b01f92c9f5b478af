import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { parseRules } from '../../../core/pipeline/4-policy/rules/parse-rules.ts';
import { makeSys, recordedDevices, type MadeDevice } from '../../support/made-sys.ts';
import { whyNoProgram } from '../../support/machine.ts';
import { testUnless } from '../../support/skip-aloud.ts';
import type { Answer, BothAnswers } from './answers.ts';
import { MADE_DEVICES } from './made-devices.ts';

const DEBIAN_RULES = '/usr/lib/udev/rules.d';
const top = path.resolve(import.meta.dirname, '../../..');

const whyNoRules = existsSync(DEBIAN_RULES) ? undefined : `udev's rules are not in ${DEBIAN_RULES}`;
const whyNoSandbox =
  process.getuid?.() === 0 ? (whyNoRules ?? whyNoProgram('udevadm')) : 'root is needed to show udevadm another /sys';

testUnless(whyNoRules)("every rule file of Debian's udev package parses without a problem", t => {
  const files = globSync(`${DEBIAN_RULES}/*.rules`);
  const parsed = files.map(file => parseRules(readFileSync(file, 'utf8'), file));
  t.deepEqual(
    parsed.flatMap(({ problems }) => problems),
    [],
  );
  t.true(parsed.flatMap(({ rules }) => rules).length > 300);
});

/** Asks both about every device, in a sandbox; `tree` stands for /sys. */
function askBoth(t: ExecutionContext, dirs: string, tree: string, ...file: readonly string[]): readonly BothAnswers[] {
  const script = path.join(import.meta.dirname, 'both-answers.ts');
  const words = [path.join(top, 'test/support/sandbox.sh'), '-', process.execPath, script, dirs, tree, ...file];
  const { stdout, stderr, status } = spawnSync('bash', words, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  t.is(status, 0, stderr);
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as BothAnswers);
}

/** What is ours and differs, with why. Everything else has to be the same. */
function withoutDifferences(answer: Answer): Answer {
  const properties = Object.fromEntries(
    Object.entries(answer.properties)
      // ID_NET_LINK_FILE, ID_NET_NAME and ID_NET_DRIVER come from the builtin net_setup_link, which applies systemd.link(5) files.
      .filter(([key]) => !['ID_NET_LINK_FILE', 'ID_NET_NAME', 'ID_NET_DRIVER'].includes(key))
      // The size of a touchpad or tablet is asked of its open node; a made one has none, a real one is asked by logind and libinput anyway.
      .filter(([key]) => key !== 'ID_INPUT_WIDTH_MM' && key !== 'ID_INPUT_HEIGHT_MM'),
  );
  return { ...answer, properties };
}

function compare(t: ExecutionContext, answers: readonly BothAnswers[], atLeast: number): void {
  for (const { devpath, ours, theirs } of answers) {
    t.deepEqual({ devpath, ...withoutDifferences(ours) }, { devpath, ...withoutDifferences(theirs) });
  }
  t.true(answers.length >= atLeast, `${answers.length} devices were asked about`);
}

function madeTree(t: ExecutionContext, devices: readonly MadeDevice[]): string {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-sys-'));
  t.teardown(() => rmSync(sys, { recursive: true, force: true }));
  makeSys(sys, devices);
  for (const [name, address] of Object.entries({ 4: '0000:00:19', 5: '0000:00:1c' })) {
    mkdirSync(path.join(sys, 'bus/pci/slots', name), { recursive: true });
    writeFileSync(path.join(sys, 'bus/pci/slots', name, 'address'), `${address}\n`);
  }
  return sys;
}

testUnless(whyNoSandbox)(
  "on every device of this machine Debian's rules come to what udevadm test says: properties, tags, links, permissions, run list",
  t => compare(t, askBoth(t, DEBIAN_RULES, '-'), 50),
);

testUnless(whyNoSandbox)("on the devices of a made computer Debian's rules come to what udevadm test says", t =>
  compare(t, askBoth(t, DEBIAN_RULES, madeTree(t, MADE_DEVICES)), 80),
);

testUnless(whyNoSandbox)("on recorded devices Debian's rules come to what udevadm test says", t => {
  const recorded = globSync(path.join(top, 'test/fixtures/recordings/*.uevents')).flatMap(file =>
    recordedDevices(file),
  );
  const devices = [...new Map(recorded.map(device => [device.devpath, device])).values()];
  const above: MadeDevice[] = [
    '/devices/pci0000:00',
    '/devices/pci0000:00/0000:00:1e.0',
    '/devices/pci0000:00/0000:00:10.0',
  ].map(devpath => ({ devpath, ...(devpath.endsWith('.0') ? { subsystem: 'pci' } : {}) }));
  compare(t, askBoth(t, DEBIAN_RULES, madeTree(t, [...above, ...devices])), 10);
});

testUnless(whyNoSandbox)('where udev(7) leaves something open our rules do what udevadm test does', t => {
  const file = path.join(top, 'test/fixtures/rules/oracle/semantics.rules');
  const answers = askBoth(t, `/run/udev/rules.d:${DEBIAN_RULES}`, '-', file);
  compare(t, answers, 50);
  t.true(answers.some(({ ours }) => ours.properties['R2'] === 'b c'));
});
