/**
 * Keeps the code that V8 makes of the parts of dist/ beside them: a run of each kind of command is made here, and what it called is kept.
 * usage: node FLAGS keep-compiled.ts, with the flags of dist/usher's first line. What the commands print does not matter.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { compiledFile, loadedParts, loadPart } from '../../core/cli/load-part.ts';
import { COMPILERS } from '../../core/kernel/compiling.ts';
import { makeModule, makeSampleSystem, SAMPLE_MODALIAS, SAMPLE_RELEASE } from './sample-system.ts';

/** Long enough for a daemon to have gone through the few devices there are. */
const DAEMON_MS = 500;
const SOCKET_WAIT_MS = 5;

const top = path.resolve(import.meta.dirname, '../..');
const sample = mkdtempSync(path.join(os.tmpdir(), 'usherd-build-'));
const stateDir = path.join(sample, 'var/lib/usherd');
const kernel = SAMPLE_RELEASE;
// The devices are this machine's: a sample would have to have as many kinds.
const root = ['--root', sample, '--sys-root', '/sys'];

// What has not been called for a while would be thrown away again, the outermost function first.
setFlagsFromString('--no-flush-bytecode');

type Run = (...given: readonly unknown[]) => Promise<unknown>;

/** Runs a function of a part; what it has to complain of is what it would complain of here, and is compiled, too. */
async function run(name: string, what: string, ...given: readonly unknown[]): Promise<void> {
  const { exports } = loadPart(path.join(top, 'dist'), name);
  try {
    await (exports as Readonly<Record<string, Run>>)[what]?.(...given);
  } catch (error) {
    process.stderr.write(`${name}: ${String(error)}\n`);
  }
}

const kmod = (tool: string, ...words: readonly string[]): Promise<void> =>
  run('usher-kmod.cjs', 'runToolCall', { tool, words: [...words, '--root', sample] });

makeSampleSystem(sample);
await kmod('depmod', kernel);
await kmod('depmod', '--incremental', kernel);
makeModule(sample, 'drivers/usb/sample_bus.ko', 'drivers/net/sample_net.ko');
await kmod('depmod', '--incremental', kernel);
makeModule(sample, 'drivers/usb/sample_bus.ko', 'drivers/usb/sample_bus.ko');
await kmod('depmod', '--incremental', kernel);
await kmod('modprobe', '-S', kernel, '-D', 'sample_net');
await kmod('modprobe', '-S', kernel, '-R', SAMPLE_MODALIAS);
await kmod('modprobe', '-d', sample, '-S', kernel, '-R', SAMPLE_MODALIAS);
await kmod('modinfo', '-k', kernel, 'sample_net');
await kmod('modinfo', path.join(sample, 'lib/modules', kernel, 'kernel/drivers/net/sample_net.ko'));
await kmod('lsmod');
await run('usher-why.cjs', 'runWhy', [SAMPLE_MODALIAS, ...root, '--kernel', kernel]);
process.argv.splice(1, process.argv.length, 'usher', 'devices', ...root);
await run('usher-verbs.cjs', 'runVerb');

const daemonWords = ['--observe', '--source', 'kernel', ...root, '--proc-root', '/proc', '--kernel', kernel];
const daemon = run('usher-daemon.cjs', 'startDaemon', [...daemonWords, '--state-dir', stateDir]);
const isLate = AbortSignal.timeout(DAEMON_MS);
while (!existsSync(path.join(stateDir, 'socket')) && !isLate.aborted) await pause(SOCKET_WAIT_MS);
await run('usher-status.cjs', 'runStatus', ['--state-dir', stateDir]);
await pause(DAEMON_MS);
process.kill(process.pid, 'SIGTERM');
await daemon;
rmSync(sample, { recursive: true, force: true });

// V8 takes only what was made with the same flags; the daemon has set some of its own.
const ownFlags = [
  '--flush-bytecode',
  '--heap-growing-percent=0',
  '--memory-reducer',
  ...COMPILERS.map(compiler => `--${compiler}`),
];
for (const flag of ownFlags) setFlagsFromString(flag);
for (const { file, script } of loadedParts()) {
  writeFileSync(compiledFile(file), script.createCachedData());
  chmodSync(compiledFile(file), 0o644);
}
