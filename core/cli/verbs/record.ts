import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { UsherdError } from '../../errors.ts';
import type { RecordingItem } from '../../pipeline/1-intake/recording.ts';
import { ledgerFile } from '../open-history.ts';
import { isSet, textOption } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const record: Verb = {
  name: 'record',
  summary: 'write the uevents that come to a recording',
  description: [
    'Listens by itself, beside any daemon, and writes each datagram byte for byte with the time it came, and for a device that is added what sysfs says of it. Losses are marked. usher replay plays it; a recording makes a bug report that can be run.',
    'Ends with Ctrl-C. The file holds what devices say of themselves: serial numbers too, unless --hash-serials has keyed hashes in their place, with the key that the ledger of this state folder has.',
  ],
  arguments: [
    { name: 'file', description: 'where to write; - is standard output', isRequired: true, completes: 'file' },
  ],
  options: [
    { flags: '--source <source>', description: 'who is listened to (default: kernel)', choices: ['kernel', 'udev'] },
    { flags: '--hash-serials', description: 'write serial numbers and hardware addresses as keyed hashes' },
  ],
  examples: [{ command: 'usher record stick.uevents', does: 'Record while you plug the stick in.' }],
  run: runRecord,
};

async function runRecord([file = '-']: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { NetlinkSource } = await import('../../pipeline/1-intake/netlink-source.ts');
  const { Recorder } = await import('../../pipeline/1-intake/recorder.ts');
  const { runningRelease } = await import('../call-verb.ts');
  const group = textOption(options, 'source') === 'udev' ? 'udev' : 'kernel';
  const stream = file === '-' ? undefined : createWriteStream(file, { flags: 'wx' });
  const out = stream ?? caller.stdout;
  const ended = Promise.withResolvers<void>();
  stream?.once('error', (error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'it is there already, and nothing is overwritten' : error.message;
    ended.reject(new UsherdError('FILE_UNREADABLE', `${file}: ${why}`, { file }, error));
  });
  let count = 0;
  const recorder = new Recorder({
    kernel: caller.release ?? runningRelease(),
    started: new Date(),
    root: caller.roots,
    write: line => void out.write(line),
    ...(isSet(options, 'hashSerials') && { change: await hiding(caller) }),
  });
  const source = new NetlinkSource({ group, root: caller.roots, failed: ended.reject, tap: recorder.datagram });
  source.start({
    uevents: batch => {
      count += batch.length;
      for (const event of batch) recorder.uevent(event);
    },
    rejected: ({ reason }) => void caller.stderr.write(`usher: not recorded, a datagram was rejected: ${reason}\n`),
    lost: loss => recorder.lost(loss),
  });
  caller.stderr.write(`usher: recording ${group} uevents to ${file}; Ctrl-C ends\n`);
  caller.signal.addEventListener('abort', () => ended.resolve(), { once: true });
  try {
    await ended.promise;
  } finally {
    source.stop();
  }
  if (stream !== undefined) {
    stream.end();
    await finished(stream);
  }
  caller.stderr.write(`usher: ${count} events recorded\n`);
  return 0;
}

async function hiding(caller: Caller): Promise<(item: RecordingItem) => RecordingItem> {
  const { mkdirSync } = await import('node:fs');
  const { hideRecorded } = await import('../hide-recording.ts');
  const { SerialHider } = await import('../../pipeline/7-ledger/serial-hider.ts');
  const { obtainSerialKey, serialKeyFile } = await import('../../pipeline/7-ledger/serial-key.ts');
  mkdirSync(caller.roots.stateDir, { recursive: true, mode: 0o750 });
  const hider = new SerialHider(obtainSerialKey(serialKeyFile(ledgerFile(caller))));
  return item => hideRecorded(item, hider);
}
