import type { Rejection } from '../pipeline/1-intake/intake-sink.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';

/** A flood of forged datagrams is one row per this long and reason, with its count, not a row each. */
const TALLY_MS = 1000;

/** Reasons told apart within one tally; the rest is counted under one. */
const REASONS_MAX = 64;

/** Counts rejected datagrams and hands them on as incidents: the first of a kind at once, the rest once a second. */
export class RejectionTally {
  readonly #write: (incident: Incident) => void;
  readonly #pending = new Map<string, { rejection: Rejection; count: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (incident: Incident) => void) {
    this.#write = write;
  }

  add(rejection: Rejection): void {
    const isKnown = this.#pending.has(rejection.reason) || this.#pending.size < REASONS_MAX;
    const key = isKnown ? rejection.reason : 'many different reasons';
    const tally = this.#pending.get(key);
    if (tally !== undefined) tally.count += 1;
    else if (this.#timer === undefined) {
      this.#write(incidentOf(rejection, 1));
      this.#pending.set(key, { rejection, count: 0 });
    } else this.#pending.set(key, { rejection, count: 1 });
    this.#timer ??= setTimeout(() => this.flush(), TALLY_MS);
  }

  /** Writes what is counted and not yet told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { rejection, count } of this.#pending.values()) if (count > 0) this.#write(incidentOf(rejection, count));
    this.#pending.clear();
  }
}

function incidentOf({ reason, sender }: Rejection, count: number): Incident {
  return {
    kind: 'rejected',
    reason,
    count,
    ...(sender === undefined ? {} : { netlinkPort: sender.nlPid }),
    ...(sender?.credentials === undefined
      ? {}
      : { senderPid: sender.credentials.pid, senderUid: sender.credentials.uid }),
  };
}
