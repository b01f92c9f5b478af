import type { Incident } from '../7-ledger/incident.ts';
import type { HistoryIncident } from '../7-ledger/history-entry.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { formatTime } from './quantity.ts';

type ByHand = Extract<Incident, { kind: 'modules-by-hand' }>;

/** What was done to one module by hand → `loaded by hand: modprobe e1000e by uid 0 (pid 123) at TIME`; undefined where it was another's. */
export function byHandText(module: ModuleName, { atMs, incident }: HistoryIncident): string | undefined {
  if (incident.kind !== 'modules-by-hand') return undefined;
  const [what, reason] = whatOf(module, incident) ?? [];
  if (what === undefined) return undefined;
  const { tool, words, uid, pid, loginUid } = incident;
  const login = loginUid === undefined || loginUid === uid ? '' : `, logged in as uid ${loginUid},`;
  const command = [tool, ...words].join(' ');
  const line = `${what} by hand: ${command} by uid ${uid} (pid ${pid})${login} at ${formatTime(atMs)}`;
  return reason === undefined ? line : `${line}: ${reason}`;
}

/** What came of the module in the end, and of a failure its reason. */
function whatOf(module: ModuleName, acts: ByHand): readonly [what: string, reason?: string] | undefined {
  const { inserted = [], removed = [], ran = [], set = [], failed = [] } = acts;
  const failure = failed.findLast(each => each.module === module);
  if (failure !== undefined) return ['tried', failure.reason];
  if (inserted.includes(module)) return ['loaded'];
  if (removed.includes(module)) return ['removed'];
  if (ran.includes(module)) return ['install or remove command run'];
  return set.some(each => each.module === module) ? ['parameter set'] : undefined;
}
