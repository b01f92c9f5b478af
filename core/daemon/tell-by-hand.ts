import { UsherdError } from '../errors.ts';
import { callDaemon } from '../ipc/client.ts';
import { toJson } from '../pipeline/8-report/json.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModulesByHand } from '../pipeline/7-ledger/incident.ts';

/** Longest a tool that is done waits for the daemon to have written it down, in milliseconds. */
const TELL_MAX_MS = 1000;

/**
 * Tells the daemon, where one answers, what a tool did to the kernel's modules, for the record. The act is done: nothing that goes wrong
 * here is anybody's failure, so nothing is said of it.
 * @param host who ran the tool; MODPROBE_MODULE is the module whose install command did, if any
 */
export async function tellByHand(
  { sockets, isRunningSystem }: Pick<SystemRoot, 'sockets' | 'isRunningSystem'>,
  host: { readonly uid: number; readonly env: Readonly<Record<string, string | undefined>> },
  acts: ModulesByHand,
): Promise<void> {
  if (host.uid !== 0 && isRunningSystem) return;
  const installing = host.env['MODPROBE_MODULE'];
  const params = { acts: toJson(acts), ...(installing === undefined ? {} : { installing }) };
  const signal = AbortSignal.timeout(TELL_MAX_MS);
  for (const socketPath of sockets) {
    try {
      for await (const _item of callDaemon({ socketPath, verb: 'note-by-hand', params, signal }));
      return;
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
    }
  }
}
