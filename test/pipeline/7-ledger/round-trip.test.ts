import test from 'ava';
import * as fc from 'fast-check';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { EnvPacker, unpackEnv } from '../../../core/pipeline/7-ledger/uevent-row.ts';
import { deliberations, outcomes, uevents } from './arbitraries.ts';
import { begunLedger } from './samples.ts';

test('an environment comes back from its packed form whatever its names and values hold', t => {
  const packer = new EnvPacker();
  fc.assert(
    fc.property(uevents, event => {
      const columns = { ...event, modalias: event.env['MODALIAS'], driver: event.env['DRIVER'] };
      t.deepEqual(unpackEnv(packer.pack(event), columns), event.env);
    }),
  );
  t.pass();
});

test('events, deliberations and outcomes come back from the file as exactly what was written', t => {
  const { ledger, file } = begunLedger(t);
  const history = History.open(file);
  const cases = fc.array(fc.tuple(uevents, fc.option(fc.tuple(deliberations, fc.array(outcomes, { maxLength: 4 })))), {
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(cases, entries => {
      const ids = entries.map(([event, acted]) => {
        const id = ledger.record(event);
        if (acted) ledger.open(id, acted[0]);
        if (acted) ledger.commit(id, acted[1]);
        return id;
      });
      t.is(ledger.flush(), 'on-disk');
      for (const [place, id] of ids.entries()) {
        const [event, acted] = entries[place] ?? [];
        const entry = history.entryById(id);
        t.deepEqual(entry?.event, event);
        t.deepEqual(entry?.deliberation, acted?.[0]);
        t.deepEqual(entry?.outcomes, acted?.[1] ?? []);
        t.is(entry?.state, acted ? 'ended' : 'recorded');
      }
    }),
    { numRuns: 60 },
  );
  history.close();
  ledger.close('test over');
});
