import type { SystemRoot } from '../kernel/system-root.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import { UsherdError } from '../errors.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { withLedger } from './with-ledger.ts';

type Override = Extract<Incident, { kind: 'policy-overridden' }>;

/** Root passes over the policy once: it is in the ledger before it is done. @throws {UsherdError} NOT_PERMITTED, and what the ledger throws */
export async function noteOverride(roots: SystemRoot, override: Omit<Override, 'kind'>): Promise<void> {
  if (override.uid !== 0 && roots.isRunningSystem)
    throw new UsherdError('NOT_PERMITTED', `user ${override.uid} may not pass over the policy`);
  const { modules, reason, refusal } = override;
  const params: JsonObject = { modules, reason, refusal };
  await withLedger(roots, { verb: 'note-override', params }, ledger => {
    ledger.incident({ kind: 'policy-overridden', ...override });
    if (ledger.flush() === 'in-memory')
      throw new UsherdError(
        'FILE_UNWRITABLE',
        `${ledger.path} takes no rows: without a record the policy is not passed over`,
      );
    return {};
  });
}
