import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { runProgram } from '../../core/kernel/run-program.ts';

test('a program has the environment it is given and nothing else, and no shell reads its words', async t => {
  t.deepEqual(await runProgram(['/usr/bin/env'], { A: '1', B: 'x y' }), {
    kind: 'exited',
    status: 0,
    stdout: 'A=1\nB=x y\n',
  });
  t.deepEqual(await runProgram(['/bin/echo', '$HOME;id', '*'], {}), {
    kind: 'exited',
    status: 0,
    stdout: '$HOME;id *\n',
  });
});

test('how it ended is told: with a status, by a signal, or never begun', async t => {
  t.deepEqual(await runProgram(['/bin/sh', '-c', 'echo a; exit 3'], {}), { kind: 'exited', status: 3, stdout: 'a\n' });
  t.deepEqual(await runProgram(['/bin/sh', '-c', 'kill -9 $$'], {}), { kind: 'killed', signal: 'SIGKILL' });
  t.is((await runProgram(['/nowhere/x'], {})).kind, 'not-started');
  t.is((await runProgram([], {})).kind, 'not-started');
});

/** Whether a process is there and neither a zombie nor dead. */
function isAlive(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Waits until a killed process has ended; one that was not killed is waited for until the test is given up. The kernel closes what a
 * process had open, which is what runProgram waits for, before it says that the process is dead.
 */
async function ended(pid: string): Promise<void> {
  while (isAlive(pid)) await setTimeout(5);
}

test('one that takes too long is killed with all it started', async t => {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-run-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const script = `sleep 1000 & echo $! > ${dir}/child; echo $$ > ${dir}/own; wait`;
  t.deepEqual(await runProgram(['/bin/sh', '-c', script], { PATH: '/bin:/usr/bin' }, { maxMs: 2000 }), {
    kind: 'timed-out',
    afterMs: 2000,
  });
  const pids = ['child', 'own'].map(name => readFileSync(path.join(dir, name), 'utf8').trim());
  await Promise.all(pids.map(ended));
  t.deepEqual(pids.map(isAlive), [false, false]);
});

test('what a program leaves behind is killed when it ends', async t => {
  const { stdout } = (await runProgram(['/bin/sh', '-c', 'sleep 1000 & echo $!'], { PATH: '/bin:/usr/bin' })) as {
    stdout: string;
  };
  t.regex(stdout, /^\d+\n$/);
  await ended(stdout.trim());
  t.false(isAlive(stdout.trim()));
});

test('output beyond its bound is dropped', async t => {
  const end = await runProgram(['/bin/sh', '-c', 'head -c 100000 /dev/zero | tr "\\\\0" x'], { PATH: '/bin:/usr/bin' });
  t.is(end.kind === 'exited' ? end.stdout.length : -1, 16_384);
});
