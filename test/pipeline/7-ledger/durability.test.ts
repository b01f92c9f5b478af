import test, { type ExecutionContext } from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import type { EntryId } from '../../../core/pipeline/7-ledger/entry-id.ts';
import { whyNoProgram } from '../../support/machine.ts';
import { testUnless } from '../../support/skip-aloud.ts';
import { RUN, scratchFolder } from './samples.ts';

/** Kills in one test: each takes a start of Node and some moment of writing. */
const KILLS = 200;
const WRITER = path.join(import.meta.dirname, 'busy-writer.ts');

/** Entries a writer said were on disk, and what else it said. */
function toldBy(printed: string): { readonly entries: readonly number[]; readonly words: readonly string[] } {
  // The last line may be cut off by the end of the writer.
  const lines = printed.slice(0, printed.lastIndexOf('\n') + 1).split('\n');
  return {
    entries: lines.filter(line => /^\d+$/.test(line)).map(Number),
    words: lines.filter(line => /^[a-z-]+$/.test(line)),
  };
}

/** The ledger opens as it is, agrees with its seals, has every decision that was said to be on disk, and no decision of a dead writer is open. */
function checkWhole(t: ExecutionContext, file: string, entries: readonly number[], what: string): void {
  const ledger = Ledger.open(file);
  t.is(ledger.setAside, undefined, what);
  ledger.close('looked at');
  const history = History.open(file);
  const { problems } = history.verify();
  t.deepEqual(problems, [], what);
  const missing = entries.filter(id => history.entryById(id as EntryId)?.deliberation === undefined);
  t.deepEqual(missing, [], what);
  t.deepEqual([...history.query({ result: 'open' })].length, 0, what);
  history.close();
}

test(`killed at ${KILLS} random moments, the ledger opens, agrees with its seals and has every decision it promised`, async t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  let promised = 0;
  let interrupted = 0;
  const lane = async (own: string): Promise<void> => {
    const entries: number[] = [];
    for (let round = 0; round < KILLS / 2; round++) {
      const child = spawn(process.execPath, [WRITER, own, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let printed = '';
      const began = Promise.withResolvers<void>();
      child.stdout.on('data', bytes => {
        printed += String(bytes);
        began.resolve();
      });
      const ended = once(child, 'close');
      await began.promise;
      await pause(Math.random() * 60);
      child.kill('SIGKILL');
      await ended;
      entries.push(...toldBy(printed).entries);
      if (round % 10 === 9) checkWhole(t, own, entries.slice(-500), `after kill ${round + 1}`);
    }
    promised += entries.length;
    const history = History.open(own);
    interrupted += [...history.query({ result: 'interrupted' })].length;
    history.close();
    checkWhole(t, own, entries, 'in the end');
  };
  await Promise.all([lane(file), lane(`${file}-2`)]);
  t.log(`${KILLS} kills, ${promised} decisions promised, ${interrupted} entries read as interrupted`);
  t.true(promised > KILLS && interrupted > 0);
});

/** Rows that waited while the disk took none were written later: no number of the one sequence is missing. */
function checkCaughtUp(t: ExecutionContext, file: string, what: string): void {
  const history = History.open(file);
  const last = history.lastId();
  t.deepEqual(
    Array.from(history.records(1, last), ({ offset }) => offset),
    Array.from({ length: last }, (_, n) => n + 1),
    what,
  );
  t.deepEqual(history.incidents({ kind: 'rows-lost' }), [], what);
  history.close();
}

/** Until the first batch is written, nearly all writes are pieces of the file of kept rows: some hundred. */
const cases: readonly [how: string, ats: readonly number[]][] = [
  ['torn', [0, 1, 5, 17, 40, 80, 111, 200, 300, 400]],
  ['lost', [3, 10, 29, 64, 150, 250, 333]],
  ['eio', [8, 30, 90, 250]],
  ['enospc', [8, 30, 90, 250]],
];
testUnless(whyNoProgram('cc'))(
  'a disk that tears, loses or refuses writes leaves a ledger that is whole and keeps what it promised',
  t => {
    const folder = scratchFolder(t);
    const shim = path.join(folder, 'failing-disk.so');
    const built = spawnSync('cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-o',
      shim,
      path.join(import.meta.dirname, 'failing-disk.c'),
      '-ldl',
    ]);
    t.is(built.status, 0, String(built.stderr));
    for (const [how, ats] of cases) {
      for (const at of ats) {
        const what = `${how} at write ${at}`;
        const file = path.join(folder, `${how}-${at}`, 'ledger.db');
        // What a healthy disk took before must still be there.
        const before = spawnSync(process.execPath, [WRITER, file, '30'], { encoding: 'utf8' });
        t.is(before.status, 0, before.stderr);
        const env = { ...process.env, LD_PRELOAD: shim, FAIL_HOW: how, FAIL_AT: String(at), FAIL_FOR: '3' };
        const { stdout, status, stderr } = spawnSync(process.execPath, [WRITER, file, '120'], {
          encoding: 'utf8',
          env,
        });
        const isPowerCut = how === 'torn' || how === 'lost';
        t.is(status, isPowerCut ? 99 : 0, `${what}: ${stderr}`);
        const { entries, words } = toldBy(stdout);
        if (!isPowerCut) t.true(words.includes('not-written'), what);
        checkWhole(t, file, [...toldBy(before.stdout).entries, ...entries], what);
        if (!isPowerCut) checkCaughtUp(t, file, what);
        const again = Ledger.open(file);
        again.beginRun(RUN);
        t.is(again.flush(), 'on-disk', what);
        again.close('works again');
      }
    }
  },
);
