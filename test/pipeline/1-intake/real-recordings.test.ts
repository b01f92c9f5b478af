import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { parseKernelMessage } from '../../../core/pipeline/1-intake/kernel-message.ts';
import {
  formatRecordingHeader,
  formatRecordingItem,
  parseRecording,
} from '../../../core/pipeline/1-intake/recording.ts';

/** Made on a real kernel by test/vm/record-fixtures.ts. */
const folder = path.resolve(import.meta.dirname, '../../fixtures/recordings');

for (const name of globSync('*.uevents', { cwd: folder })) {
  const text = readFileSync(path.join(folder, name), 'utf8');
  const recording = parseRecording(text, name);

  test(`${name}: a recording of a real kernel is read whole, and written again it is the same text`, t => {
    t.deepEqual(recording.problems, []);
    t.is([formatRecordingHeader(recording.header), ...recording.items.map(formatRecordingItem)].join(''), text);
  });

  test(`${name}: every datagram of a real kernel is a uevent, and their numbers have no gap`, t => {
    const datagrams = recording.items.flatMap(item => (item.kind === 'datagram' ? [item.bytes] : []));
    const numbers = datagrams.map(bytes => {
      const parsed = parseKernelMessage(bytes, 0, bytes.length, { origin: { kind: 'replay' }, receivedAtMs: 0 });
      return parsed.kind === 'uevent' ? parsed.uevent.seqnum : parsed.reason;
    });
    const [first] = numbers;
    t.is(typeof first, 'bigint');
    t.deepEqual(
      numbers.map(String),
      numbers.map((_, n) => String(BigInt(first ?? 0) + BigInt(n))),
    );
  });
}
