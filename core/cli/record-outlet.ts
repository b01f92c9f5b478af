import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsherdError } from '../errors.ts';
import type { RowRecord } from '../pipeline/7-ledger/row-records.ts';
import { exportTitle, formatRecord, type ExportFormat, type Exporter } from '../pipeline/8-report/export-format.ts';
import { journalMessage } from '../pipeline/8-report/journal-message.ts';
import type { Caller } from './verb.ts';

/** How long a full journal is waited for, in all: it empties within milliseconds unless it hangs. */
const JOURNAL_WAIT_MS = 5000;
const JOURNAL_RETRY_MS = 10;

/** Where records go. `put` has them there, `sync` makes sure they stay, and says how long a file is then. */
export interface RecordOutlet {
  put(records: readonly RowRecord[]): Promise<void>;
  sync(): number | undefined;
  close(): void;
}

/** Lines to standard output. */
export function stdoutOutlet(
  format: ExportFormat,
  exporter: Exporter,
  { stdout }: Caller,
  isFresh: boolean,
): RecordOutlet {
  const title = isFresh ? exportTitle(format) : undefined;
  if (title !== undefined) stdout.write(`${title}\n`);
  return {
    put: async records => {
      const text = records.map(record => `${formatRecord(record, format, exporter)}\n`).join('');
      await new Promise<void>((resolve, reject) => {
        stdout.write(text, error => (error ? reject(error) : resolve()));
      });
    },
    sync: () => undefined,
    close: () => {},
  };
}

/** Lines to a file, from byte `keptBytes` on: what an earlier run wrote beyond what it had noted is written again, once. */
export function fileOutlet(file: string, format: ExportFormat, exporter: Exporter, keptBytes: number): RecordOutlet {
  let fd: number;
  try {
    fd = openSync(file, keptBytes === 0 ? 'w' : 'r+');
    if (fstatSync(fd).size < keptBytes)
      throw new UsherdError(
        'FILE_UNWRITABLE',
        `${file}: it is shorter than the ${keptBytes} bytes that were written to it`,
      );
    ftruncateSync(fd, keptBytes);
    // A file that was just made is only there after a power cut when its folder is on disk.
    syncFolder(file);
  } catch (error) {
    if (error instanceof UsherdError) throw error;
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  let at = keptBytes;
  const write = (text: string): void => {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length;) {
      const count = writeSync(fd, bytes, done, bytes.length - done, at);
      done += count;
      at += count;
    }
  };
  const title = keptBytes === 0 ? exportTitle(format) : undefined;
  if (title !== undefined) write(`${title}\n`);
  return {
    put: records => {
      write(records.map(record => `${formatRecord(record, format, exporter)}\n`).join(''));
      return Promise.resolve();
    },
    sync: () => {
      fsyncSync(fd);
      return at;
    },
    close: () => closeSync(fd),
  };
}

function syncFolder(file: string): void {
  const folder = openSync(path.dirname(path.resolve(file)), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Datagrams to journald. @throws {UsherdError} FILE_UNWRITABLE when it does not take them */
export async function journalOutlet({ roots }: Caller): Promise<RecordOutlet> {
  const { sendDatagram } = await import('../kernel/unix-socket.ts');
  const address = path.join(roots.run, 'systemd/journal/socket');
  return {
    put: async records => {
      for (const record of records) {
        const message = journalMessage(record);
        for (let waitedMs = 0; ; waitedMs += JOURNAL_RETRY_MS) {
          const errno = sendDatagram(address, message);
          if (errno === undefined) break;
          if (errno !== 'EAGAIN' || waitedMs >= JOURNAL_WAIT_MS)
            throw new UsherdError(
              'FILE_UNWRITABLE',
              `${address}: the journal does not take record ${record.offset} (${errno})`,
            );
          await pause(JOURNAL_RETRY_MS);
        }
      }
    },
    sync: () => undefined,
    close: () => {},
  };
}
