import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';

const source = JSON.stringify(path.resolve(import.meta.dirname, '../../core/cli/plain-output.ts'));
const usher = path.resolve(import.meta.dirname, '../../dist/usher');

/** Runs lines of a module with `plainOutput` behind a shell's redirection or pipe. */
function run(lines: string, after: string): { readonly status: number | null; readonly stdout: string } {
  const text = `import { plainOutput } from ${source}; ${lines}`;
  return spawnSync(
    'bash',
    ['-c', `set -o pipefail; "$0" --input-type=module -e "$1" ${after}`, process.execPath, text],
    {
      encoding: 'utf8',
    },
  );
}

test('all that is written comes out, however slowly it is read', t => {
  const { status, stdout } = run(
    `const out = plainOutput(1); for (let i = 0; i < 300; i++) out.write(String(i).padEnd(1024) + '\\n'); process.exit(3)`,
    `| (sleep 0.3; wc -lc); exit \${PIPESTATUS[0]}`,
  );
  t.deepEqual(stdout.trim().split(/\s+/).map(Number), [300, 300 * 1025]);
  t.is(status, 3);
});

test('a pipe that is not waited for by the kernel is waited for by us', t => {
  const script = [
    'import fcntl, os, subprocess, sys, time',
    'r, w = os.pipe()',
    'fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)',
    'child = subprocess.Popen(sys.argv[1:], stdout=w)',
    'os.close(w)',
    'time.sleep(0.3)',
    'count = 0',
    'while True:',
    '    piece = os.read(r, 65536)',
    '    if not piece: break',
    '    count += len(piece)',
    'print(count, child.wait())',
  ].join('\n');
  const text = `import { plainOutput } from ${source}; plainOutput(1).write('x'.repeat(1_000_000)); process.exit(0)`;
  const words = ['-c', script, process.execPath, '--input-type=module', '-e', text];
  t.is(execFileSync('python3', words, { encoding: 'utf8' }), '1000000 0\n');
});

test('a reader that has gone ends the command quietly', t => {
  const { status, stdout } = run(
    `const out = plainOutput(1); for (;;) out.write('y\\n'.repeat(4096))`,
    '2>&1 | head -n 1',
  );
  t.is(stdout, 'y\n');
  t.is(status, 0);
});

test('a full disk is an error that says so, with a status', t => {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', '"$0" why no_such:thing >/dev/full; "$0" modprobe --help >/dev/full', usher],
    {
      encoding: 'utf8',
    },
  );
  t.regex(stderr, /standard output: ENOSPC/);
  t.notRegex(stderr, /bug/);
  t.not(status, 0);
});
