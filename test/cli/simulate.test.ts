import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { openObserver } from '../../core/daemon/observer.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { parseUeventFile } from '../../core/kernel/sysfs.ts';
import { formatDecisions } from '../../core/pipeline/4-policy/decisions-text.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';
import { asDeliberation } from '../../core/pipeline/7-ledger/request.ts';
import { deviceFromEvent } from '../../core/pipeline/2-device/read-device.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { deliberate } from '../../core/pipeline/pipeline.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import { RUN } from '../pipeline/7-ledger/samples.ts';
import { ueventFiles, whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { jsonLines, startDaemon, usher } from '../support/usher.ts';

const demoRoot = path.resolve(import.meta.dirname, '../../contrib/demo/root');
const RELEASE = '6.1.0-demo';
const START = Date.UTC(2026, 10, 1);
const HOUR_MS = 3_600_000;

const stick = '/devices/pci0000:00/0000:00:1d.0/usb2/2-1/2-1:1.0' as Devpath;
const card = '/devices/pci0000:00/0000:00:03.0' as Devpath;
const ALIASES: Readonly<Record<string, string>> = {
  [stick]: 'usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00',
  [card]: 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
};

function addedAt(devpath: Devpath, hour: number): Uevent {
  return {
    action: 'add',
    devpath,
    subsystem: devpath === stick ? 'usb' : 'pci',
    env: { MODALIAS: ALIASES[devpath] ?? '' },
    origin: { kind: 'kernel' },
    receivedAtMs: START + hour * HOUR_MS,
  };
}

/** A folder nobody else may write to. */
function folder(t: ExecutionContext): string {
  const made = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-simulate-')));
  chmodSync(made, 0o755);
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A record in which the stick came three times, the card once, and the kernel asked for a module, all by a policy that allows everything. */
async function recorded(t: ExecutionContext): Promise<readonly string[]> {
  const stateDir = folder(t);
  const roots = systemRoot({ root: demoRoot, stateDir }, { env: {}, uid: 0 });
  await using observer = await openObserver(roots, RELEASE, message => t.fail(message));
  const mind = { ...observer, stateOf: () => undefined };
  const ledger = Ledger.open(path.join(stateDir, 'ledger.sqlite'), { now: () => START + 5 * HOUR_MS });
  ledger.beginRun({ ...RUN, startedAtMs: START });
  for (const [hour, devpath] of [stick, card, stick, stick].entries()) {
    const event = addedAt(devpath, hour);
    const device = deviceFromEvent(event);
    t.truthy(device);
    if (device === undefined) continue;
    const { candidates, decisions, plans } = await deliberate({ kind: 'device', device, event }, mind);
    const id = ledger.record(event);
    ledger.open(id, { device, candidates, decisions, plans });
    ledger.commit(id, []);
  }
  const facts = { asker: 'kernel', asked: 'pps_core', uid: 0 } as const;
  const wish = await deliberate({ kind: 'kernel', alias: facts.asked }, mind);
  const request = ledger.request(facts);
  ledger.open(request, asDeliberation(facts, wish));
  ledger.commit(request, []);
  ledger.close('test over');
  return ['--root', demoRoot, '--state-dir', stateDir, '--kernel', RELEASE, '--since', '2026-11-01'];
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text, { mode: 0o644 });
}

interface Line {
  readonly kind: string;
  readonly cause?: string;
  readonly from?: string;
  readonly to?: string;
  readonly count?: number;
  readonly gone?: number;
  readonly examples?: readonly { readonly module: string; readonly asked: string; readonly after: object }[];
  readonly decided?: number;
  readonly differing?: number;
}

test('an empty policy decides as it was decided', async t => {
  const where = await recorded(t);
  const ran = await usher('simulate', '--policy', folder(t), ...where);
  t.deepEqual(ran, {
    status: 0,
    stdout: '5 decisions since 2026-11-01 00:00:00.000+00:00; all would be the same\n',
    stderr: '',
  });
});

test('rules, plugins and forbids of a folder are each told with how often they would decide otherwise', async t => {
  const where = await recorded(t);
  const policy = folder(t);
  const rules = path.join(policy, 'rules.d/10-sticks.rules');
  write(rules, '# none\nMODALIAS=="usb:*ic08*", VERDICT="deny", REASON="no sticks"\n');
  write(path.join(policy, 'plugins/blacklist.toml'), '[[settings.rules]]\nmodules = ["e1000e"]\nverdict = "hold"\n');
  const forbid = {
    subject: { kind: 'module', module: moduleName('ptp') },
    reason: 'no clocks',
    uid: 0,
    atMs: START,
  } as const;
  write(path.join(policy, 'decisions.toml'), formatDecisions({ forbids: [forbid], answers: [] }));
  write(path.join(policy, 'usherd.toml'), '[policy]\ndefault = "deny-unmatched"\n');
  const ran = await usher('simulate', '--policy', policy, '--json', ...where);
  t.is(ran.stderr, '');
  t.is(ran.status, 1);
  const lines = jsonLines<Line>(ran);
  t.deepEqual(
    lines.map(({ cause, from, to, count, gone, examples = [] }) => [cause, from, to, count, gone, examples.length]),
    [
      [`rule, ${rules}:2`, 'load', 'deny', 15, 15, 3],
      [`administrator, ${path.join(policy, 'decisions.toml')}:5`, 'load', 'deny', 1, 1, 1],
      ['plugin blacklist', 'load', 'hold', 1, 1, 1],
      ['usherd.toml', 'load', 'deny', 1, 0, 1],
      [undefined, undefined, undefined, undefined, undefined, 0],
    ],
  );
  t.like(lines.at(-1), { kind: 'summary', decided: 5, differing: 18 });
  t.like(lines[2]?.examples?.[0], {
    module: 'e1000e',
    asked: card,
    before: { verdict: 'load' },
    after: { verdict: 'hold', by: 'plugin blacklist', reason: 'blacklisted by module "e1000e"' },
  });
  const text = await usher('simulate', '--policy', policy, ...where);
  t.regex(text.stdout, /^plugin blacklist  load → hold, 1 time, 1 of them for devices that are not here any more$/m);
  t.regex(text.stdout, /^  2026-11-01 01:00:00\.000\+00:00 e1000e for .*: blacklisted by module "e1000e"$/m);
  t.regex(text.stdout, /^  and 12 more; --all shows them$/m);
  const all = await usher('simulate', '--policy', policy, '--all', '--json', ...where);
  t.is(jsonLines<Line>(all)[0]?.examples?.length, 15);
  const part = await usher('simulate', '--policy', policy, '--json', ...where, '--until', '2026-11-01 00:30');
  t.like(jsonLines<Line>(part).at(-1), { decided: 1 });
});

test('what is wrong with the folder is told, and nothing of the machine is changed', async t => {
  const where = await recorded(t);
  const stateDir = where[3] ?? '';
  const policy = folder(t);
  write(path.join(policy, 'usherd.toml'), 'no_such_setting = 1\n');
  write(path.join(policy, 'rules.d/10.rules'), 'NO_SUCH_KEY=="1"\n');
  write(path.join(policy, 'plugins/usb-allowlist.toml'), '');
  write(path.join(policy, 'plugins/blacklist.toml'), '[settings]\nruls = []\n');
  const before = readFileSync(path.join(stateDir, 'ledger.sqlite'));
  const ran = await usher('simulate', '--policy', policy, ...where);
  t.regex(ran.stderr, /usherd\.toml:1: .*no_such_setting/);
  t.regex(ran.stderr, /10\.rules:1/);
  t.regex(ran.stderr, /plugin blacklist: its settings: .*ruls/);
  t.regex(
    ran.stdout,
    /^plugin usb-allowlist  load → hold, 3 times, 3 of them for devices that are not here any more$/m,
  );
  t.deepEqual(readFileSync(path.join(stateDir, 'ledger.sqlite')), before);
  t.false(existsSync(path.join(stateDir, 'plugins')));
});

test('without a folder there is nothing to simulate', async t => {
  t.regex((await usher('simulate')).stderr, /simulate needs --policy DIR/);
  t.regex((await usher('simulate', '--policy', '/nowhere')).stderr, /there is no such folder/);
});

testUnless(whyNoRealUevents())(
  'a shadow tells what it would decide otherwise as it comes, and enforces nothing',
  async t => {
    const found = ueventFiles()
      .map(file => ({ file, modalias: parseUeventFile(readFileSync(file, 'latin1'))['MODALIAS'] }))
      .find(({ modalias = '' }) => /^[a-z]+:[\w:.]+$/.test(modalias));
    t.truthy(found, 'there is no device with a plain modalias');
    if (found?.modalias === undefined) return;
    const tree = folder(t);
    write(path.join(tree, 'modules.dep'), 'made-up.ko:\n');
    write(path.join(tree, 'modules.alias'), `alias ${found.modalias} made_up\n`);
    const policy = folder(t);
    write(path.join(policy, 'plugins/blacklist.toml'), '[[settings.rules]]\nmodules = ["made_up"]\n');
    const modules = ['--modules-root', tree, '--kernel', '6.1.0-made'];
    const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug', ...modules]);
    t.teardown(() => daemon.kill());
    const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');
    const words = ['simulate', '--policy', policy, '--shadow', '--json', '--state-dir', daemon.stateDir, ...modules];
    const shadow = spawn(process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => shadow.kill('SIGKILL'));
    const told = once(createInterface({ input: shadow.stdout }), 'line');
    // It follows once it has started; until then the kernel is asked again.
    const again = setInterval(() => writeFileSync(found.file, 'add'), 100);
    const [line] = (await told) as [string];
    clearInterval(again);
    t.like(JSON.parse(line), {
      kind: 'difference',
      cause: 'plugin blacklist',
      module: 'made_up',
      before: { verdict: 'load' },
      after: { verdict: 'deny', by: 'plugin blacklist', reason: 'blacklisted by module "made_up"' },
    });
    const ended = once(shadow, 'exit');
    shadow.kill('SIGINT');
    t.deepEqual((await ended)[0], 1);
    const { stdout } = await usher('history', '--json', '--verdict', 'deny', '--state-dir', daemon.stateDir);
    t.is(stdout, '');
  },
);
