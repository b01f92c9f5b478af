import path from 'node:path';
import { UsherdError } from '../errors.ts';
import { callDaemon } from '../ipc/client.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { readSettings } from './read-settings.ts';
import { Ledger } from '../pipeline/7-ledger/ledger.ts';

/**
 * Runs something that needs the ledger: in the daemon when there is one, since it alone writes then, else here.
 * @throws {UsherdError} what either of them throws
 */
export async function withLedger<Answer>(
  roots: SystemRoot,
  inDaemon: { readonly verb: string; readonly params: JsonObject },
  here: (ledger: Ledger) => Answer,
): Promise<Answer> {
  for (const socketPath of roots.sockets) {
    try {
      for await (const item of callDaemon({ socketPath, ...inDaemon })) return item as Answer;
    } catch (error) {
      if (!(error instanceof UsherdError) || error.code !== 'DAEMON_UNREACHABLE') throw error;
    }
  }
  const { settings } = readSettings(roots.configDirs);
  const ledger = Ledger.open(path.join(roots.stateDir, 'ledger.sqlite'), { hidesSerials: settings.hashSerials });
  if (ledger.setAside !== undefined) {
    const { file, movedTo, reason } = ledger.setAside;
    process.stderr.write(`usher: ${file} was damaged (${reason}); it is kept as ${movedTo}, and a new one is begun\n`);
  }
  try {
    return here(ledger);
  } finally {
    ledger.close('done');
  }
}
