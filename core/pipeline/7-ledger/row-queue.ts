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

/**
 * Written rows in memory until they are known to be on disk, which takes milliseconds: two batches, so that a storm takes no more. Beyond
 * it the oldest are forgotten.
 */
export const UNSETTLED_MAX_ROWS = 4000;

/**
 * Rows in the order they came, newest kept: those that wait to be written, and those that were written and are not yet known to be on
 * disk. What is decided now may rest on the latter as well.
 */
export class RowQueue {
  #rows: Row[] = [];
  /** Written rows, batch by batch. */
  #unsettled: (readonly Row[])[] = [];
  #unsettledRows = 0;
  /** The newest row that was forgotten before it was known to be on disk; 0 for none. */
  #forgottenId = 0;
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

  /** Whether all that was written is known to be on disk. */
  get isSettled(): boolean {
    return this.#unsettled.length === 0 && this.#forgottenId === 0;
  }

  /** The rows that came after this one and are not known to be on disk in their tables; undefined when some of these were forgotten. */
  after(id: number): readonly Row[] | undefined {
    if (id < this.#forgottenId) return undefined;
    const rows = this.#unsettled.length === 0 ? this.#rows : [...this.#unsettled.flat(), ...this.#rows];
    return rows.slice(rows.findLastIndex(row => row.id <= id) + 1);
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
    const isAll = count >= this.#rows.length;
    const written = isAll ? this.#rows : this.#rows.slice(0, count);
    this.#rows = isAll ? [] : this.#rows.slice(count);
    this.#unsettled.push(written);
    this.#unsettledRows += written.length;
    while (this.#unsettledRows > UNSETTLED_MAX_ROWS) this.#forgottenId = this.#dropUnsettled();
  }

  /** The rows up to this one are on disk, in their tables. */
  settled(lastId: number): void {
    while (this.#unsettled[0] !== undefined && (this.#unsettled[0].at(-1)?.id ?? 0) <= lastId) this.#dropUnsettled();
    if (this.#forgottenId <= lastId) this.#forgottenId = 0;
  }

  /** Takes the oldest batch out → the id of its newest row. */
  #dropUnsettled(): number {
    const batch = this.#unsettled.shift() ?? [];
    this.#unsettledRows -= batch.length;
    return batch.at(-1)?.id ?? 0;
  }

  /** The run's own row is kept: without it the events after it would belong to nothing. */
  #dropOldest(): void {
    const old = this.#rows.slice(0, DROPPED_ROWS);
    const kept = old.filter(row => row.kind === 'run');
    this.#rows = [...kept, ...this.#rows.slice(DROPPED_ROWS)];
    this.#lost += old.length - kept.length;
  }
}
