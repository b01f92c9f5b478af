import test from 'ava';
import { RejectionTally } from '../../core/daemon/rejection-tally.ts';
import type { Rejection } from '../../core/pipeline/1-intake/intake-sink.ts';
import type { Incident } from '../../core/pipeline/7-ledger/incident.ts';

function rejection(reason: string): Rejection {
  return {
    kind: 'sender',
    reason,
    sender: { family: 16, nlPid: 77, nlGroups: 1, credentials: { pid: 42, uid: 1000, gid: 1000 } },
    lengthBytes: 40,
    head: 'add@/devices/x',
    atMs: 0,
  };
}

const row = (reason: string, count: number): Incident => ({
  kind: 'rejected',
  reason,
  count,
  netlinkPort: 77,
  senderPid: 42,
  senderUid: 1000,
});

test('the first rejected datagram is a row at once, a flood of the same is one more row with its count', t => {
  const rows: Incident[] = [];
  const tally = new RejectionTally(incident => rows.push(incident));
  for (let n = 0; n < 5000; n += 1) tally.add(rejection('forged'));
  t.deepEqual(rows, [row('forged', 1)]);
  tally.flush();
  t.deepEqual(rows, [row('forged', 1), row('forged', 4999)]);
});

test('a flood with ever new reasons makes a bounded number of rows, and none is left uncounted', t => {
  const rows: Incident[] = [];
  const tally = new RejectionTally(incident => rows.push(incident));
  for (let n = 0; n < 1000; n += 1) tally.add(rejection(`forged ${n}`));
  tally.flush();
  t.true(rows.length <= 70);
  t.is(
    rows.reduce((sum, each) => sum + (each.kind === 'rejected' ? each.count : 0), 0),
    1000,
  );
});
