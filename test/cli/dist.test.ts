import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';

const usher = path.resolve(import.meta.dirname, '../../dist/usher');

/** Runs the built command → its exit status and what it says on standard error. */
function run(...words: readonly string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(usher, words, { encoding: 'utf8' });
  return { status, stderr };
}

test('an error that crosses from one built file to another is still told in our words', t => {
  t.deepEqual(run('daemon', '--receive-buffer', '1'), {
    status: 2,
    stderr: 'usher: --receive-buffer has "1", wanted a size from 4KiB to 1GiB\n  usher VERB --help\n',
  });
  const { status, stderr } = run('replay', '/nowhere');
  t.is(status, 4);
  t.regex(stderr, /^usher: \/nowhere/);
});

test('the built daemon leaves help and mistakes to the full parser', t => {
  t.like(run('daemon', '--help'), { status: 0, stderr: '' });
  const { status, stderr } = run('daemon', '--bogus');
  t.is(status, 2);
  t.regex(stderr, /^error: unknown option '--bogus'/);
});
