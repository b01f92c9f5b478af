import type { Sender } from '../../kernel/netlink-socket.ts';
import type { Uevent } from './uevent.ts';

/** Where every source (netlink, recording) puts what it has. Calls come in the order of arrival and never overlap. */
export interface IntakeSink {
  uevents(batch: readonly Uevent[]): void;
  rejected(rejection: Rejection): void;
  lost(loss: Loss): void;
}

/** A datagram that is not taken: from the wrong sender, or not a uevent. It is counted and kept in the ledger. */
export interface Rejection {
  readonly kind: 'sender' | 'message';
  /** One sentence: what was found and what was wanted. */
  readonly reason: string;
  /** Absent on what comes from a recording. */
  readonly sender?: Sender;
  /** Where in the datagram, when its content is why. */
  readonly offsetBytes?: number;
  readonly lengthBytes: number;
  /** Its first bytes, one character each, for a person who looks into it. */
  readonly head: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Bytes of a refused datagram that are kept: its header and a variable or two. */
export const REJECTION_HEAD_MAX_BYTES = 160;

/** Uevents that happened and that we did not get. What follows is a walk through /sys (resync.ts). */
export interface Loss {
  /** `overrun`: the kernel's buffer for us was full. `truncated`: a datagram was longer than ours. `queue-full`: uevent-queue.ts. */
  readonly kind: 'overrun' | 'truncated' | 'queue-full';
  /** How many, where that is known exactly. */
  readonly dropped?: bigint;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}
