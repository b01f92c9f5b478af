import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

/** Whether a process is there and no zombie. */
function isAlive(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}

test('one that takes too long is killed with all it started', async t => {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-run-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const script = `sleep 1000 & echo $! > ${dir}/child; echo $$ > ${dir}/own; wait`;
  t.deepEqual(await runProgram(['/bin/sh', '-c', script], { PATH: '/bin:/usr/bin' }, { maxMs: 400 }), {
    kind: 'timed-out',
    afterMs: 400,
  });
  t.deepEqual(
    ['child', 'own'].map(name => isAlive(readFileSync(path.join(dir, name), 'utf8').trim())),
    [false, false],
  );
});

test('what a program leaves behind is killed when it ends', async t => {
  const { stdout } = (await runProgram(['/bin/sh', '-c', 'sleep 1000 & echo $!'], { PATH: '/bin:/usr/bin' })) as {
    stdout: string;
  };
  t.regex(stdout, /^\d+\n$/);
  t.false(isAlive(stdout.trim()));
});

test('output beyond its bound is dropped', async t => {
  const end = await runProgram(['/bin/sh', '-c', 'head -c 100000 /dev/zero | tr "\\\\0" x'], { PATH: '/bin:/usr/bin' });
  t.is(end.kind === 'exited' ? end.stdout.length : -1, 16_384);
});
