/**
 * Keeps the code that V8 makes of the parts of dist/ beside them: a run of each kind of command is made here, and what it called is kept.
 * usage: node FLAGS keep-compiled.ts, with the flags of dist/usher's first line. What the commands print does not matter.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { compiledFile, loadPart } from '../../core/cli/load-part.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';

/** Long enough for a daemon to have gone through the few devices there are. */
const DAEMON_MS = 500;

const top = path.resolve(import.meta.dirname, '../..');
const demo = path.join(top, 'contrib/demo/root');
const root = ['--root', demo];
const kernel = '6.1.0-demo';
const modalias = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';

// What has not been called for a while would be thrown away again, the outermost function first.
setFlagsFromString('--no-flush-bytecode');

const called = new Set<string>();

type Run = (...given: readonly unknown[]) => Promise<unknown>;

/** Runs a function of a part; what it has to complain of is what it would complain of here, and is compiled, too. */
async function run(name: string, what: string, ...given: readonly unknown[]): Promise<void> {
  called.add(name);
  const { exports } = loadPart(path.join(top, 'dist'), name);
  try {
    await (exports as Readonly<Record<string, Run>>)[what]?.(...given);
  } catch (error) {
    process.stderr.write(`${name}: ${String(error)}\n`);
  }
}

const kmod: readonly (readonly [string, ...string[]])[] = [
  ['modprobe', ...root, '-S', kernel, '-D', 'usbcore'],
  ['modprobe', ...root, '-S', kernel, '-R', modalias],
  ['modinfo', ...root, '-k', kernel, 'e1000e'],
  ['lsmod'],
];
for (const [tool, ...words] of kmod) await run('usher-kmod.cjs', 'runToolCall', { tool, words });
await run('usher-why.cjs', 'runWhy', [modalias, ...root, '--kernel', kernel]);
await run('usher-status.cjs', 'runStatus', root);
process.argv.splice(1, process.argv.length, 'usher', 'devices', ...root);
await run('usher-verbs.cjs', 'runVerb');

const stateDir = mkdtempSync(path.join(os.tmpdir(), 'usherd-build-'));
const { stdout, stderr, env } = process;
const uid = process.getuid?.() ?? 0;
const options = { observe: true, source: 'kernel' };
await run('usherd.cjs', 'runDaemon', options, {
  stdout,
  stderr,
  env,
  uid,
  roots: systemRoot({ root: demo, sysRoot: '/sys', procRoot: '/proc', stateDir }, { env, uid }),
  release: kernel,
  signal: AbortSignal.timeout(DAEMON_MS),
  answers: path.join(top, 'dist/usher-answers.cjs'),
});
rmSync(stateDir, { recursive: true, force: true });

// V8 takes only what was made with the same flags; the daemon has set one of its own.
for (const flag of ['--flush-bytecode', '--heap-growing-percent=0']) setFlagsFromString(flag);
for (const name of called) {
  const { file, script } = loadPart(path.join(top, 'dist'), name);
  writeFileSync(compiledFile(file), script.createCachedData());
  chmodSync(compiledFile(file), 0o644);
}
