import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Deliberation, EntryResult } from './deliberation.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { PendingEnd } from './pending-rows.ts';
import type { RequestFacts } from './request.ts';

/** What a daemon is when it starts: the head of everything it writes. */
export interface RunFacts {
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  readonly startedAtMs: number;
  readonly kernelRelease: string;
  /** usherd's own. */
  readonly version: string;
  /** Where events come from: `kernel`, `udev`, `replay`. */
  readonly source: string;
  readonly mode: 'observe' | 'load';
  /** The module tree in use; absent when there is none. */
  readonly modulesDir?: string;
}

/** A row that waits to be written, with its place in the one sequence. */
export type Row =
  | { readonly kind: 'run'; readonly id: number; readonly facts: RunFacts }
  | {
      readonly kind: 'run-end';
      readonly id: number;
      readonly run: number;
      readonly atMs: number;
      readonly reason: string;
    }
  | { readonly kind: 'uevent'; readonly id: number; readonly run: number; readonly event: Uevent }
  | {
      readonly kind: 'decision';
      readonly id: number;
      readonly entry: number;
      readonly atMs: number;
      readonly deliberation: Deliberation;
    }
  | {
      readonly kind: 'ending';
      readonly id: number;
      readonly entry: number;
      readonly atMs: number;
      readonly result: EntryResult;
      readonly outcomes: readonly Outcome[];
    }
  | {
      readonly kind: 'bind';
      readonly id: number;
      readonly entry: number | undefined;
      readonly atMs: number;
      readonly devpath: Devpath;
      readonly driver: string;
    }
  | {
      readonly kind: 'incident';
      readonly id: number;
      readonly run: number | undefined;
      readonly atMs: number;
      readonly incident: Incident;
    }
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly run: number | undefined;
      readonly atMs: number;
      readonly request: RequestFacts;
    }
  | {
      readonly kind: 'pending';
      readonly id: number;
      readonly atMs: number;
      readonly item: Omit<PendingItem, 'id' | 'heldAtMs'>;
    }
  | {
      readonly kind: 'pending-end';
      readonly id: number;
      readonly pending: number;
      readonly atMs: number;
      readonly how: PendingEnd;
      readonly uid: number | undefined;
    };

/**
 * Rows in memory while the disk takes none: about 20 MB, some minutes of a busy machine. Beyond it the oldest go, because what
 * happens now is what a person will ask about first.
 */
export const HELD_MAX_ROWS = 20_000;
/** So many are dropped at once, so that dropping costs little per row. */
const DROPPED_ROWS = 1000;

/** Rows in the order they came, newest kept. */
export class RowQueue {
  #rows: Row[] = [];
  #lost = 0;

  get size(): number {
    return this.#rows.length;
  }

  /** Rows dropped since `takeLost` was last called. */
  get lost(): number {
    return this.#lost;
  }

  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** The rows that came after this one. */
  after(id: number): readonly Row[] {
    return this.#rows.slice(this.#rows.findLastIndex(row => row.id <= id) + 1);
  }

  /** The newest incident of one of these kinds. */
  lastIncident<Kind extends IncidentKind>(kinds: readonly Kind[]): Extract<Incident, { kind: Kind }> | undefined {
    const isWanted = (incident: Incident): incident is Extract<Incident, { kind: Kind }> =>
      (kinds as readonly IncidentKind[]).includes(incident.kind);
    for (const row of this.#rows.toReversed())
      if (row.kind === 'incident' && isWanted(row.incident)) return row.incident;
    return undefined;
  }

  push(row: Row): void {
    if (this.#rows.length >= HELD_MAX_ROWS) this.#dropOldest();
    this.#rows.push(row);
  }

  /** Puts a row before all others, where it may be waiting already. */
  pushFirst(row: Row): void {
    this.#rows = [row, ...this.#rows.filter(({ id }) => id !== row.id)];
  }

  /** The oldest rows, at most `max`, still in the queue. */
  peek(max: number): readonly Row[] {
    return this.#rows.length <= max ? this.#rows : this.#rows.slice(0, max);
  }

  /** Takes the oldest `count` out: they are written. */
  drop(count: number): void {
    this.#rows = count >= this.#rows.length ? [] : this.#rows.slice(count);
  }

  /** The run's own row is kept: without it the events after it would belong to nothing. */
  #dropOldest(): void {
    const old = this.#rows.slice(0, DROPPED_ROWS);
    const kept = old.filter(row => row.kind === 'run');
    this.#rows = [...kept, ...this.#rows.slice(DROPPED_ROWS)];
    this.#lost += old.length - kept.length;
  }
}
