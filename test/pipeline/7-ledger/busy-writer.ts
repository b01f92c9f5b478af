/**
 * Writes a ledger as a daemon does, as fast as it can, and says on standard output which decisions are on disk: their entries, a line
 * each. Half of them it waits for as one does that acts, which has what the act rests on put on disk itself. Run by durability.test.ts,
 * which ends it. usage: busy-writer.ts FILE ROUNDS
 */
import { fdatasyncSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RestsOn } from '../../../core/kernel/rests-on.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { mouseAdded, mouseDeliberation, RUN } from './samples.ts';

const [file = '', rounds = '0'] = process.argv.slice(2);
const ledger = Ledger.open(file, { onTrouble: ({ kind }) => writeSync(1, `${kind}\n`) });
ledger.beginRun(RUN);
writeSync(1, 'began\n');
for (let round = 0; round < Number(rounds); round++) {
  for (let n = 0; n < round % 40; n++) ledger.record(mouseAdded({ synthUuid: `${process.pid}-${round}-${n}` }));
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  if (round % 2 === 0 ? (await ledger.kept()) === 'on-disk' : isPut(ledger.keep())) writeSync(1, `${entry}\n`);
  if (round % 3 !== 0) ledger.commit(entry, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1 }]);
  if (round % 5 === 0) await nextTurn();
}
/** Puts it on disk → whether it is there. Of what has no descriptor only the ledger itself can say that. */
function isPut(restsOn: RestsOn): boolean {
  if (restsOn.fd === undefined) return false;
  fdatasyncSync(restsOn.fd);
  restsOn.wasPut(0);
  return true;
}

// The retry of a disk that failed is seconds away; whoever tests does not wait for it.
for (let tries = 0; tries < 5 && ledger.flush() !== 'on-disk'; tries++) continue;
ledger.close('all written');
