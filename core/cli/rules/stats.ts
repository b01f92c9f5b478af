import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RuleSet } from '../../pipeline/4-policy/rules/rule-set.ts';
import { loadRuleSet } from '../../pipeline/4-policy/rules/rule-files.ts';
import { formatTable } from '../../pipeline/8-report/table.ts';
import { span } from '../../pipeline/8-report/terminal.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { countOption } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues } from '../verb.ts';
import { namedDirs } from './named-dirs.ts';

const DAYS_DEFAULT = 90;
const DAYS_MAX = 3650;
const DAY_MS = 24 * 60 * 60_000;

/** How often a rule matched, and when it was told last. */
interface Hits {
  count: number;
  lastMs: number;
}

/** Prints each rule with its hits; those without one in the last days are marked, if the ledger goes back that far. */
export async function printRuleStats(options: OptionValues, caller: Caller): Promise<number> {
  const days = countOption(options, 'days', { flag: '--days', min: 1, max: DAYS_MAX }) ?? DAYS_DEFAULT;
  const since = Date.now() - days * DAY_MS;
  const ruleSet = loadRuleSet(namedDirs(options, caller));
  const { hits, firstMs } = await readHits(caller, since);
  const knowsEnough = firstMs !== undefined && firstMs <= since;
  const rows = rulesOf(ruleSet).map(place => ({ place, ...(hits.get(place) ?? { count: 0, lastMs: undefined }) }));
  for (const { place, count, lastMs } of caller.isJson ? rows : []) {
    printJson(caller, {
      place,
      hits: count,
      last: lastMs === undefined ? null : new Date(lastMs).toISOString(),
      isUnused: count === 0 && knowsEnough,
    });
  }
  if (caller.isJson) return 0;
  const cells = rows.map(({ place, count, lastMs }) => [
    String(count),
    lastMs === undefined
      ? knowsEnough
        ? span('warning', `never in ${days} days`)
        : 'not yet'
      : new Date(lastMs).toISOString(),
    place,
  ]);
  const columns = [{ title: 'HITS', align: 'right' as const }, { title: 'LAST' }, { title: 'RULE', canShrink: true }];
  printLines(caller, formatTable(columns, cells, terminal(caller)));
  if (!knowsEnough) {
    const from =
      firstMs === undefined
        ? 'the ledger has counted nothing yet'
        : `the ledger counts since ${new Date(firstMs).toISOString()}`;
    printLines(caller, [`${from}: not long enough to say what has not matched for ${days} days`]);
  }
  return 0;
}

/** Rules that do more than lead elsewhere, by their places. */
function rulesOf({ rules }: RuleSet): readonly string[] {
  return rules
    .filter(({ source }) => source.tokens.some(({ key }) => key !== 'GOTO' && key !== 'LABEL'))
    .map(({ source: { place } }) =>
      formatPlace({ file: place.file, ...(place.line === undefined ? {} : { line: place.line }) }),
    );
}

async function readHits(
  { roots }: Caller,
  sinceMs: number,
): Promise<{ hits: Map<string, Hits>; firstMs: number | undefined }> {
  const hits = new Map<string, Hits>();
  const file = path.join(roots.stateDir, 'ledger.sqlite');
  if (!existsSync(file)) return { hits, firstMs: undefined };
  const { History } = await import('../../pipeline/7-ledger/history.ts');
  const ledger = History.open(file);
  try {
    const firstMs = ledger.incidents({ kind: 'rules-loaded' }).at(-1)?.atMs;
    for (const { atMs, incident } of ledger.incidents({ kind: 'rule-hits', sinceMs })) {
      if (incident.kind !== 'rule-hits') continue;
      for (const [place, count] of Object.entries(incident.hits)) {
        const known = hits.get(place) ?? { count: 0, lastMs: 0 };
        hits.set(place, { count: known.count + count, lastMs: Math.max(known.lastMs, atMs) });
      }
    }
    return { hits, firstMs };
  } finally {
    ledger.close();
  }
}
