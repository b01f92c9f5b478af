import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Deliberation, EntryResult } from './deliberation.ts';
import type { Incident } from './incident.ts';
import type { EntryId } from './entry-id.ts';
import type { RunFacts } from './row-queue.ts';

/**
 * How far an entry got. `recorded`: nothing had to be decided. `open`: being worked on by the daemon that runs now. `ended`: done.
 * `interrupted`: usherd stopped before it finished; what of the plan was carried out is not known, so it counts as failed.
 */
export type EntryState = 'recorded' | 'open' | 'ended' | 'interrupted';

/** What `interrupted` means, for a person. */
export const INTERRUPTED_SENTENCE = 'failed: usherd stopped before it finished';

/** A driver took a device. */
export interface Bind {
  readonly devpath: Devpath;
  readonly driver: string;
  readonly atMs: number;
}

/** One uevent as the ledger has it, with all that came of it. */
export interface HistoryEntry {
  readonly id: EntryId;
  readonly runId: number;
  readonly event: Uevent;
  readonly state: EntryState;
  /** Present when something was decided. */
  readonly decidedAtMs?: number;
  readonly deliberation?: Deliberation;
  /** Present when it was ended. */
  readonly endedAtMs?: number;
  readonly result?: EntryResult;
  readonly outcomes: readonly Outcome[];
  /** Drivers that took a device because of this entry. */
  readonly binds: readonly Bind[];
}

export interface HistoryIncident {
  readonly id: number;
  readonly runId?: number;
  readonly atMs: number;
  readonly incident: Incident;
}

/** One daemon's life. `endedAtMs` is absent while it runs, and when it stopped without saying so. */
export interface HistoryRun extends RunFacts {
  readonly id: number;
  readonly endedAtMs?: number;
  readonly endReason?: string;
}
