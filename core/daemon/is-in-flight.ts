import { UsherdError } from '../errors.ts';
import { callDaemon } from '../ipc/client.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';

/** Whether the daemon is loading this module at this moment; false where none answers. */
export async function isInFlight({ sockets }: Pick<SystemRoot, 'sockets'>, module: ModuleName): Promise<boolean> {
  for (const socketPath of sockets) {
    try {
      for await (const item of callDaemon({ socketPath, verb: 'in-flight' })) {
        const { modules } = item as { readonly modules: readonly string[] };
        return modules.includes(module);
      }
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
    }
  }
  return false;
}
