import test, { type ExecutionContext } from 'ava';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ModuleWatch } from '../../core/daemon/module-watch.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { NotingLoader } from '../../core/pipeline/6-load/noting-loader.ts';
import type { Incident } from '../../core/pipeline/7-ledger/incident.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { moduleName, moduleNameOfPath } from '../../core/vocabulary/module-name.ts';

function watch(t: ExecutionContext): {
  readonly told: Incident[];
  readonly watch: ModuleWatch;
  readonly taint: (mask: string) => void;
  readonly modules: (text: string) => void;
  readonly pass: (ms: number) => void;
} {
  const proc = mkdtempSync(path.join(os.tmpdir(), 'usherd-proc-'));
  t.teardown(() => rmSync(proc, { recursive: true, force: true }));
  mkdirSync(path.join(proc, 'sys/kernel'), { recursive: true });
  const taint = (mask: string): void => writeFileSync(path.join(proc, 'sys/kernel/tainted'), `${mask}\n`);
  taint('0');
  const modules = (text: string): void => writeFileSync(path.join(proc, 'modules'), text);
  const told: Incident[] = [];
  let nowMs = 0;
  const made = new ModuleWatch(
    proc,
    incident => told.push(incident),
    () => nowMs,
    look => look(),
  );
  return { told, watch: made, taint, modules, pass: ms => void (nowMs += ms) };
}

function event(action: Uevent['action'], name: string, changes: Partial<Uevent> = {}): Uevent {
  const devpath = `/module/${name}` as Devpath;
  return { action, devpath, subsystem: 'module', env: {}, origin: { kind: 'kernel' }, receivedAtMs: 0, ...changes };
}

test('a module that others load or remove is told, one of ours is not', async t => {
  const { told, watch: watched, pass } = watch(t);
  const loader = watched.watched(new NotingLoader(() => false, moduleNameOfPath));
  const inserted = loader.insert('/lib/modules/6.1/kernel/snd-hda.ko.xz', '');
  watched.event(event('add', 'snd_hda'));
  await inserted;
  watched.event(event('add', 'snd_hda'));
  watched.event(event('add', 'nvidia'));
  watched.event(event('remove', 'snd_hda'));
  pass(60_000);
  watched.event(event('add', 'snd_hda'));
  t.deepEqual(told, [
    { kind: 'module-loaded', module: 'nvidia' },
    { kind: 'module-unloaded', module: 'snd_hda' },
    { kind: 'module-loaded', module: 'snd_hda' },
  ]);
});

test('what an install command loads is ours, whatever it is', async t => {
  const { told, watch: watched } = watch(t);
  const loader = watched.watched(new NotingLoader(() => false, moduleNameOfPath));
  const ran = loader.runCommand('modprobe --ignore-install a', moduleName('a'));
  watched.event(event('add', 'b'));
  await ran;
  t.deepEqual(told, []);
});

test('events that somebody had the kernel repeat, of other subsystems and from /sys are no loads', t => {
  const { told, watch: watched } = watch(t);
  watched.event(event('add', 'a', { synthUuid: '0' }));
  watched.event(event('add', 'a', { origin: { kind: 'coldplug' } }));
  watched.event(event('add', 'a', { subsystem: 'drivers' }));
  watched.event(event('add', 'a', { devpath: '/module/a/holders' as Devpath }));
  watched.event(event('change', 'a'));
  t.deepEqual(told, []);
});

test('a taint is told with the modules that carry it, whatever else was loaded meanwhile', async t => {
  const { told, watch: watched, taint, modules } = watch(t);
  const loader = watched.watched(new NotingLoader(() => false, moduleNameOfPath));
  modules('lpc_ich 20480 0 - Live 0x0\nvendor 16384 0 - Live 0x0 (POE)\nown 16384 0 - Live 0x0 (O)\n');
  taint('12289');
  await loader.insert('/lib/modules/6.1/lpc_ich.ko', '');
  t.deepEqual(told, [{ kind: 'taint-changed', before: '0', after: '12289', letters: 'POE', module: 'vendor, own' }]);
});

test('a taint that grew is told once, with the letters that are new and the module that was loaded', async t => {
  const { told, watch: watched, taint } = watch(t);
  const loader = watched.watched(new NotingLoader(() => false, moduleNameOfPath));
  taint('4096');
  watched.event(event('add', 'nvidia'));
  watched.event(event('add', 'other'));
  taint('12289');
  await loader.insert('/lib/modules/6.1/vendor.ko', '');
  t.deepEqual(
    told.filter(({ kind }) => kind === 'taint-changed'),
    [
      { kind: 'taint-changed', before: '0', after: '4096', letters: 'O', module: 'nvidia' },
      { kind: 'taint-changed', before: '4096', after: '12289', letters: 'PE', module: 'vendor' },
    ],
  );
});

test('the taint is looked at once for all that comes within a moment, with the last module that came, and at the end at once', t => {
  const proc = mkdtempSync(path.join(os.tmpdir(), 'usherd-proc-'));
  t.teardown(() => rmSync(proc, { recursive: true, force: true }));
  mkdirSync(path.join(proc, 'sys/kernel'), { recursive: true });
  const taint = (mask: string): void => writeFileSync(path.join(proc, 'sys/kernel/tainted'), `${mask}\n`);
  taint('0');
  const told: Incident[] = [];
  const looks: (() => void)[] = [];
  const watched = new ModuleWatch(
    proc,
    incident => told.push(incident),
    () => 0,
    look => looks.push(look),
  );
  watched.event(event('remove', 'a'));
  watched.event(event('remove', 'b'));
  taint('4096');
  t.is(looks.length, 1);
  const taints = (): readonly Incident[] => told.filter(({ kind }) => kind === 'taint-changed');
  t.deepEqual(taints(), []);
  looks[0]?.();
  const first = { kind: 'taint-changed', before: '0', after: '4096', letters: 'O', module: 'b' } as const;
  t.deepEqual(taints(), [first]);
  watched.event(event('remove', 'c'));
  taint('12288');
  watched.checkTaint();
  const second = { kind: 'taint-changed', before: '4096', after: '12288', letters: 'E', module: 'c' } as const;
  t.deepEqual(taints(), [first, second]);
  looks[1]?.();
  t.deepEqual(taints(), [first, second]);
});
