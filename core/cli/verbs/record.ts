import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { UsherdError } from '../../errors.ts';
import { textOption } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const record: Verb = {
  name: 'record',
  summary: 'write the uevents that come to a recording',
  description: [
    'Listens by itself, beside any daemon, and writes each datagram byte for byte with the time it came, and for a device that is added what sysfs says of it. Losses are marked. usher replay plays it; a recording makes a bug report that can be run.',
    'Ends with Ctrl-C. The file holds what devices say of themselves: serial numbers too.',
  ],
  arguments: [{ name: 'file', description: 'where to write; - is standard output', isRequired: true, completes: 'file' }],
  options: [{ flags: '--source <source>', description: 'who is listened to (default: kernel)', choices: ['kernel', 'udev'] }],
  examples: [{ command: 'usher record stick.uevents', does: 'Record while you plug the stick in.' }],
  run: runRecord,
};

async function runRecord([file = '-']: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { NetlinkSource } = await import('../../pipeline/1-intake/netlink-source.ts');
  const { formatRecordingHeader, formatRecordingItem } = await import('../../pipeline/1-intake/recording.ts');
  const { recordDatagram } = await import('../../pipeline/1-intake/record-datagram.ts');
  const { runningRelease } = await import('../program.ts');
  const group = textOption(options, 'source') === 'udev' ? 'udev' : 'kernel';
  const out = file === '-' ? caller.stdout : createWriteStream(file, { flags: 'wx' });
  const ended = Promise.withResolvers<void>();
  out.once('error', (error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'it is there already, and nothing is overwritten' : error.message;
    ended.reject(new UsherdError('FILE_UNREADABLE', `${file}: ${why}`, { file }, error));
  });
  const started = new Date();
  out.write(formatRecordingHeader({ kernel: caller.release ?? runningRelease(), started }));
  let count = 0;
  const tMsOf = (atMs: number): number => Math.max(0, Math.round((atMs - started.getTime()) * 1000) / 1000);
  const source = new NetlinkSource({
    group,
    root: caller.roots,
    failed: ended.reject,
    tap: (datagram, from, atMs) => {
      count += 1;
      for (const item of recordDatagram(datagram, from, tMsOf(atMs), caller.roots)) out.write(formatRecordingItem(item));
    },
  });
  source.start({
    uevents: () => {},
    rejected: ({ reason }) => void caller.stderr.write(`usher: not recorded, a datagram was rejected: ${reason}\n`),
    lost: ({ kind, dropped, atMs }) => {
      const item = { kind: 'lost', tMs: tMsOf(atMs), reason: kind, ...(dropped === undefined ? {} : { dropped }) } as const;
      out.write(formatRecordingItem(item));
    },
  });
  caller.stderr.write(`usher: recording ${group} uevents to ${file}; Ctrl-C ends\n`);
  caller.signal.addEventListener('abort', () => ended.resolve(), { once: true });
  try {
    await ended.promise;
  } finally {
    source.stop();
  }
  if (out !== caller.stdout) {
    out.end();
    await finished(out);
  }
  caller.stderr.write(`usher: ${count} datagrams recorded\n`);
  return 0;
}
