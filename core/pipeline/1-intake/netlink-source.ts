import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import { readlinkSync } from 'node:fs';
import { NetlinkGroup, openNetlink, type NetlinkBatch, type NetlinkSocket } from '../../kernel/netlink-socket.ts';
import { netlinkDrops } from '../../kernel/proc-netlink.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { UsherdError } from '../../errors.ts';
import { admit, type IntakeGroup } from './admission.ts';
import { REJECTION_HEAD_MAX_BYTES, type IntakeSink, type Rejection } from './intake-sink.ts';
import { parseKernelMessage } from './kernel-message.ts';
import { parseUdevMessage } from './udev-message.ts';
import type { Uevent } from './uevent.ts';

export interface NetlinkSourceOptions {
  readonly group: IntakeGroup;
  readonly root: Pick<SystemRoot, 'proc'>;
  readonly receiveBufferBytes?: number;
  /** Go over net.core.rmem_max where we may; on by default. */
  readonly force?: boolean;
  /** Take what a process had the kernel send. For tests in a namespace of their own. */
  readonly acceptInjected?: boolean;
  /** A socket bound by somebody else, as by systemd's ListenNetlink=, which keeps events over a restart. */
  readonly adoptFd?: number;
  /** Sees each admitted datagram as it came; the bytes are good only until it returns. For recordings. */
  readonly tap?: (datagram: Uint8Array, group: IntakeGroup, atMs: number) => void;
  /** Reading the socket failed and no more will come. */
  readonly failed: (error: UsherdError) => void;
}

/** What the kernel granted, and what a person should know about it. */
export interface NetlinkSourceFacts {
  readonly group: IntakeGroup;
  readonly portId: number;
  readonly grantedBytes: number;
  readonly how: NetlinkSocket['how'];
  readonly warnings: readonly string[];
}

/** An overrun is told when the socket was read empty, or after this long under a flood that never lets it be. */
const OVERRUN_TOLD_AFTER_MS = 1000;

/** Uevents from one netlink group: admitted, parsed, in batches as they come. */
export class NetlinkSource {
  readonly #options: NetlinkSourceOptions;
  #socket: NetlinkSocket | undefined;
  #dropsTold = 0n;
  #overrunSinceMs: number | undefined;

  constructor(options: NetlinkSourceOptions) {
    this.#options = options;
  }

  /** Opens the socket. @throws {UsherdError} NETLINK_UNAVAILABLE, NATIVE_MISSING */
  start(sink: IntakeSink): NetlinkSourceFacts {
    const { group, receiveBufferBytes, force, adoptFd, root, failed } = this.#options;
    const socket = openNetlink(
      {
        groups: NetlinkGroup[group],
        ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
        ...(force === undefined ? {} : { force }),
        ...(adoptFd === undefined ? {} : { adoptFd }),
      },
      {
        batch: batch => this.#take(batch, sink),
        overrun: () => (this.#overrunSinceMs ??= Date.now()),
        drained: () => this.#tellOverrun(sink),
        failed,
      },
    );
    this.#socket = socket;
    // An adopted socket may have overrun before we were there, and whoever had it has told, or nobody: the difference is told as ours.
    const warning = foreignNamespaceWarning(root);
    const { portId, grantedBytes, how } = socket;
    return { group, portId, grantedBytes, how, warnings: warning === undefined ? [] : [warning] };
  }

  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #take(batch: NetlinkBatch, sink: IntakeSink): void {
    const { group, acceptInjected = false, tap } = this.#options;
    const parse = group === 'kernel' ? parseKernelMessage : parseUdevMessage;
    const receivedAtMs = wallClockMs();
    let uevents: Uevent[] = [];
    // What is told keeps its order: the uevents before a refusal or a loss go out before it.
    const flush = (): void => {
      if (uevents.length > 0) sink.uevents(uevents);
      uevents = [];
    };
    for (let i = 0; i < batch.count; i += 1) {
      const sender = batch.sender(i);
      const [start, end] = [batch.start(i), batch.end(i)];
      const admission = admit(sender, { group, acceptInjected });
      if (admission.kind === 'refused') {
        flush();
        const { reason } = admission;
        sink.rejected({ kind: 'sender', reason, sender, ...shownOf(batch.bytes, start, end), atMs: receivedAtMs });
        continue;
      }
      if (batch.isTruncated(i)) {
        flush();
        sink.lost({ kind: 'truncated', dropped: 1n, atMs: receivedAtMs });
        continue;
      }
      tap?.(batch.bytes.subarray(start, end), group, receivedAtMs);
      const parsed = parse(batch.bytes, start, end, { origin: admission.origin, receivedAtMs });
      if (parsed.kind === 'uevent') uevents.push(parsed.uevent);
      else {
        flush();
        const { reason, offsetBytes } = parsed;
        const shown = shownOf(batch.bytes, start, end);
        sink.rejected({ kind: 'message', reason, sender, offsetBytes, ...shown, atMs: receivedAtMs });
      }
    }
    flush();
    const since = this.#overrunSinceMs;
    if (since !== undefined && receivedAtMs - since > OVERRUN_TOLD_AFTER_MS) {
      this.#tellOverrun(sink);
      // Still congested: more may be dropped in silence, so the final word comes when the socket is empty.
      this.#overrunSinceMs = receivedAtMs;
    }
  }

  #tellOverrun(sink: IntakeSink): void {
    this.#overrunSinceMs = undefined;
    const { root } = this.#options;
    const drops = this.#socket === undefined ? undefined : netlinkDrops(root, this.#socket.portId);
    const dropped = drops === undefined ? undefined : drops - this.#dropsTold;
    if (drops !== undefined) this.#dropsTold = drops;
    sink.lost({ kind: 'overrun', ...(dropped === undefined ? {} : { dropped }), atMs: Date.now() });
  }
}

function shownOf(bytes: Buffer, start: number, end: number): Pick<Rejection, 'lengthBytes' | 'head'> {
  return {
    lengthBytes: end - start,
    head: bytes.toString('latin1', start, Math.min(end, start + REJECTION_HEAD_MAX_BYTES)),
  };
}

/**
 * A daemon in another network namespace than the first process hears no event of the host's network devices, and none at all when a
 * user namespace owns it: it would be deaf for ever, so it says so. Undefined when all is well, or when that may not be looked at.
 */
export function foreignNamespaceWarning({ proc }: Pick<SystemRoot, 'proc'>): string | undefined {
  try {
    const [ours, first] = [readlinkSync(`${proc}/self/ns/net`), readlinkSync(`${proc}/1/ns/net`)];
    if (ours === first) return undefined;
    return `usherd is in the network namespace ${ours}, the system in ${first}: it will miss uevents`;
  } catch {
    return undefined;
  }
}
