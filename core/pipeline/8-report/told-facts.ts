import { VERDICT_KINDS } from '../4-policy/opinion.ts';
import type { IncidentKind } from '../7-ledger/incident.ts';
import type { RowRecord } from '../7-ledger/row-records.ts';

/** Severities of syslog(3), as journald has them, too. */
const [ERROR, WARNING, NOTICE, INFO] = [3, 4, 5, 6] as const;

const LOUD: ReadonlySet<string> = new Set<IncidentKind>([
  'damaged-ledger',
  'rows-lost',
  'policy-change-failed',
  'plugin-quarantined',
]);
/** What somebody did on purpose. */
const DELIBERATE: ReadonlySet<string> = new Set<IncidentKind>([
  'policy-changed',
  'policy-edited',
  'settings-changed',
  'rules-loaded',
  'plugin-loaded',
  'plugin-unloaded',
  'driver-override',
  'driver-proposed',
  'modules-by-hand',
  'module-loaded',
  'module-unloaded',
  'pruned',
  'resync',
]);
const QUIET: ReadonlySet<string> = new Set<IncidentKind>(['reload', 'rule-hits', 'shutdown']);

/** How much a record matters: a loss or refusal is a warning, a change of what decides a notice, what happens every day is info. */
export function severityOf({ kind, facts }: RowRecord): number {
  const { result, incident, verdict } = { ...facts, ...derivedFacts({ kind, facts }) };
  if (kind === 'incident') {
    if (LOUD.has(String(incident))) return ERROR;
    if (DELIBERATE.has(String(incident))) return NOTICE;
    return QUIET.has(String(incident)) ? INFO : WARNING;
  }
  const isBad = typeof result === 'string' && ['failed', 'refused', 'denied', 'held'].includes(result);
  return isBad || verdict === 'deny' || verdict === 'hold' ? WARNING : INFO;
}

/** Facts that are one short text or number, by their names; with those of rows below it that matter most (derivedFacts). */
export function plainFacts(record: RowRecord): readonly (readonly [name: string, value: string])[] {
  return Object.entries({ ...record.facts, ...derivedFacts(record) }).flatMap(([name, fact]) =>
    typeof fact === 'string' || typeof fact === 'number' || typeof fact === 'bigint'
      ? [[name, String(fact)] as const]
      : [],
  );
}

type Cells = Readonly<Record<string, unknown>>;

/**
 * A decision's `modules`, its strictest `verdict`, and who gave it: `by`, `reason`, `rule` (FILE:LINE); an ending's `modules` and the
 * first `errno`. Empty for other records.
 */
export function derivedFacts({ kind, facts }: Pick<RowRecord, 'kind' | 'facts'>): Readonly<Record<string, string>> {
  if (kind === 'ending') {
    const outcomes = rowsOf(facts['outcome']);
    const errno = outcomes.map(({ errno: name }) => name).find(name => typeof name === 'string');
    return { ...modulesOf(outcomes), ...(typeof errno === 'string' && { errno }) };
  }
  if (kind !== 'decision') return {};
  const judgements = rowsOf(facts['judgement']);
  const [strictest] = VERDICT_KINDS.flatMap(verdict => judgements.filter(each => each['verdict'] === verdict));
  const { pos, winner, verdict }: Cells = strictest ?? {};
  const opinion = rowsOf(facts['opinion']).find(each => each['judgement'] === pos && each['pos'] === winner);
  const { by, reason, place } = opinion ?? {};
  return {
    ...modulesOf(judgements),
    ...(typeof verdict === 'string' && { verdict }),
    ...(typeof by === 'string' && { by }),
    ...(typeof reason === 'string' && { reason }),
    ...ruleOf(place),
  };
}

function ruleOf(place: unknown): Readonly<Record<string, string>> {
  const { file, line } = (place ?? {}) as { readonly file?: unknown; readonly line?: unknown };
  if (typeof file !== 'string') return {};
  return { rule: typeof line === 'number' ? `${file}:${line}` : file };
}

function modulesOf(rows: readonly Cells[]): Readonly<Record<string, string>> {
  const modules = [...new Set(rows.map(({ module }) => String(module)))];
  return modules.length === 0 ? {} : { modules: modules.join(' ') };
}

function rowsOf(fact: unknown): readonly Cells[] {
  return Array.isArray(fact) ? (fact as readonly Cells[]) : [];
}
