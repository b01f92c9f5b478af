import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { LogSync, type PutOnDisk } from '../../../core/pipeline/7-ledger/log-sync.ts';
import { RUN, scratchFolder } from './samples.ts';

/** A disk that is done when it is told to. */
function slowDisk(): { putOnDisk: PutOnDisk; asked: (() => void)[] } {
  const asked: (() => void)[] = [];
  return { asked, putOnDisk: (_fd, done) => void asked.push(() => done(null)) };
}

/** What has ended by now. */
async function endedOf(promises: readonly Promise<unknown>[]): Promise<boolean[]> {
  const ended = promises.map(() => false);
  for (const [index, promise] of promises.entries()) void promise.then(() => (ended[index] = true));
  await new Promise(setImmediate);
  return ended;
}

test('who comes while a log is put on disk waits for the next time, and shares it', async t => {
  const file = path.join(scratchFolder(t), 'wal');
  writeFileSync(file, 'x');
  const { putOnDisk, asked } = slowDisk();
  const log = new LogSync(file, putOnDisk);
  const all = [log.sync(), log.sync(), log.sync()];
  t.is(asked.length, 1);
  asked[0]?.();
  t.deepEqual(await endedOf(all), [true, false, false]);
  t.is(asked.length, 2);
  asked[1]?.();
  t.deepEqual(await endedOf(all), [true, true, true]);
  t.deepEqual([asked.length, await Promise.all(all)], [2, [undefined, undefined, undefined]]);
  log.close();
});

test('a log that cannot be put on disk is told, by the system’s own word', async t => {
  const log = new LogSync('/dev/null');
  t.is((await log.sync())?.code, 'EINVAL');
  t.is(log.close()?.code, 'EINVAL');
  t.is((await new LogSync(path.join(scratchFolder(t), 'none')).sync())?.code, 'ENOENT');
});

test('who still waits when the log is closed is told how that went, and nobody opens it again', async t => {
  const file = path.join(scratchFolder(t), 'wal');
  writeFileSync(file, 'x');
  const { putOnDisk, asked } = slowDisk();
  const log = new LogSync(file, putOnDisk);
  const all = [log.sync(), log.sync()];
  t.is(log.close(), undefined);
  rmSync(file);
  asked[0]?.();
  t.deepEqual([await Promise.all(all), asked.length], [[undefined, undefined], 1]);
});

test('a decision is durable when its log is on disk, and not before', async t => {
  const { putOnDisk, asked } = slowDisk();
  const ledger = Ledger.open(path.join(scratchFolder(t), 'ledger.sqlite'), { putOnDisk });
  ledger.beginRun(RUN);
  const first = ledger.durable();
  t.deepEqual(await endedOf([first]), [false]);
  t.is(ledger.stats().heldRows, 0, 'it is written');
  const nothingNew = ledger.durable();
  ledger.incident({ kind: 'shutdown', reason: 'a test' });
  const second = ledger.durable();
  t.deepEqual(await endedOf([first, nothingNew, second]), [false, false, false]);
  asked[0]?.();
  t.deepEqual(await endedOf([first, nothingNew, second]), [true, true, false]);
  asked[1]?.();
  t.deepEqual(await Promise.all([first, nothingNew, second]), ['on-disk', 'on-disk', 'on-disk']);
  t.is(await ledger.durable(), 'on-disk');
  ledger.close('done');
});

test('a disk that fails in putting it there is a trouble that is told, and no durable decision', async t => {
  const troubles: string[] = [];
  const ledger = Ledger.open(path.join(scratchFolder(t), 'ledger.sqlite'), {
    onTrouble: trouble => troubles.push(trouble.kind === 'not-written' ? trouble.code : trouble.kind),
    putOnDisk: (_fd, done) => done(Object.assign(new Error('i/o error'), { code: 'EIO' })),
  });
  ledger.beginRun(RUN);
  t.is(await ledger.durable(), 'in-memory');
  t.deepEqual(troubles, ['EIO']);
  ledger.close('done');
});
