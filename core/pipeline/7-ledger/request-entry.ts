import type { Devpath } from '../../vocabulary/devpath.ts';
import type { EntryResult } from './deliberation.ts';
import type { EntryReader } from './entry-reader.ts';
import type { EntryId } from './entry-id.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { EntryState } from './history-entry.ts';
import type { RequestDeliberation, RequestFacts } from './request.ts';

/** One request as the ledger has it, with all that came of it. */
export interface RequestEntry extends RequestFacts {
  readonly id: EntryId;
  readonly atMs: number;
  readonly state: EntryState;
  readonly deliberation?: RequestDeliberation;
  readonly result?: EntryResult;
  readonly outcomes: readonly Outcome[];
}

/** A row of `request` with its texts, its decision and its ending. */
export interface RequestRow {
  readonly id: number;
  readonly run: number | null;
  readonly at_ms: number;
  readonly asker: RequestFacts['asker'];
  readonly asked_text: string;
  readonly uid: number;
  readonly devpath_text: string | null;
  readonly decision_id: number | null;
  readonly ending_id: number | null;
  readonly result: EntryResult | null;
}

/** A row → the request with all that came of it; `liveRun` is the run whose daemon is there now. */
export function requestOf(row: RequestRow, reader: EntryReader, liveRun: number | undefined): RequestEntry {
  const { decision_id: decisionId, ending_id: endingId } = row;
  const { deliberation, outcomes } = reader.readDecided(decisionId, endingId);
  const open = row.run === liveRun ? 'open' : 'interrupted';
  return {
    id: row.id as EntryId,
    atMs: row.at_ms,
    asker: row.asker,
    asked: row.asked_text,
    uid: row.uid,
    ...(row.devpath_text === null ? {} : { devpath: row.devpath_text as Devpath }),
    state: decisionId === null ? 'recorded' : endingId === null ? open : 'ended',
    ...(deliberation === undefined
      ? {}
      : {
          deliberation: {
            candidates: deliberation.candidates,
            decisions: deliberation.decisions,
            plans: deliberation.plans,
          },
        }),
    ...(row.result === null ? {} : { result: row.result }),
    outcomes,
  };
}
