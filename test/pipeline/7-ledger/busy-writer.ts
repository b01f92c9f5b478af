/**
 * Writes a ledger as a daemon does, as fast as it can, and says on standard output which decisions are on disk: their entries, a line
 * each. Run by durability.test.ts, which ends it. usage: busy-writer.ts FILE ROUNDS
 */
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
  if ((await ledger.kept()) === 'on-disk') writeSync(1, `${entry}\n`);
  if (round % 3 !== 0) ledger.commit(entry, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1 }]);
  if (round % 5 === 0) await nextTurn();
}
// The retry of a disk that failed is seconds away; whoever tests does not wait for it.
for (let tries = 0; tries < 5 && ledger.flush() !== 'on-disk'; tries++) continue;
ledger.close('all written');
