import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { CHECKPOINT_AFTER_QUIET_MS } from '../../../core/pipeline/7-ledger/write-behind.ts';
import { begunLedger, mouseAdded } from './samples.ts';

test('who keeps asking for what is written already does not put off the checkpoint', async t => {
  const { ledger, file } = begunLedger(t);
  for (let n = 0; n < 300; n++) ledger.record(mouseAdded());
  ledger.flush();
  const before = statSync(file).size;
  // Ten times as often as it is quiet enough for one.
  for (let n = 0; n < 20 && statSync(file).size === before; n++) {
    await pause(CHECKPOINT_AFTER_QUIET_MS / 10);
    ledger.flush();
  }
  t.true(statSync(file).size > before);
  ledger.close('test over');
});
