import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import { isLocked, lockFile } from '../../core/kernel/file-lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'usherd-file-lock-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

test('a file is locked for one who has it open, also against this very process, until that is closed', t => {
  const file = path.join(folder, 'one');
  const [first, second] = [openSync(file, 'w'), openSync(file, 'r+')];
  const reader = openSync(file, 'r');
  t.false(isLocked(reader));
  t.true(lockFile(first));
  t.true(lockFile(first));
  t.false(lockFile(second));
  t.true(isLocked(second));
  t.true(isLocked(reader));
  // Locks of the process itself would go with any descriptor that is closed.
  closeSync(openSync(file, 'r'));
  t.false(lockFile(second));
  closeSync(first);
  t.false(isLocked(reader));
  t.true(lockFile(second));
  closeSync(second);
  closeSync(reader);
});

test('what cannot be locked is an error with the kernel’s reason', t => {
  const reader = openSync('/dev/null', 'r');
  t.throws(() => lockFile(reader), { code: 'FILE_UNREADABLE', message: /EBADF/ });
  t.throws(() => isLocked(2 ** 20), { code: 'FILE_UNREADABLE', message: /EBADF/ });
  closeSync(reader);
});

test('a write transaction of SQLite’s in another process, which was the lock once, keeps us out', t => {
  const file = path.join(folder, 'sqlite');
  const db = new Database(file);
  db.exec('CREATE TABLE holder (pid)');
  db.exec('BEGIN IMMEDIATE');
  const fd = openSync(file, 'r+');
  // In this process a lock of SQLite's, which is the process's, is no lock of another: so another asks.
  const script = `
    import { openSync } from 'node:fs';
    import { isLocked, lockFile } from '${path.resolve('core/kernel/file-lock.ts')}';
    const fd = openSync('${file}', 'r+');
    process.stdout.write(JSON.stringify([isLocked(fd), lockFile(fd)]));
  `;
  const asked = (): unknown =>
    JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
  t.deepEqual(asked(), [true, false]);
  db.exec('ROLLBACK');
  t.deepEqual(asked(), [false, true]);
  t.true(lockFile(fd));
  closeSync(fd);
  db.close();
});
