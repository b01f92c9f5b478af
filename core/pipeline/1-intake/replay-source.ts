import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { REJECTION_HEAD_MAX_BYTES, type IntakeSink } from './intake-sink.ts';
import { parseKernelMessage } from './kernel-message.ts';
import type { Recording, RecordingItem } from './recording.ts';
import { parseUdevMessage } from './udev-message.ts';
import type { Origin, Uevent } from './uevent.ts';

/** Items replayed per turn of the event loop when not paced, so that what they cause has its turn too. */
const ITEMS_PER_TURN = 256;
/** Longest pause between two items that is kept when paced; a recording of a quiet night should not take one. */
const PAUSE_MAX_MS = 10_000;

const REPLAY: Origin = { kind: 'replay' };

export interface ReplayOptions {
  /** With the pauses it was recorded with, or as fast as possible. */
  readonly isPaced: boolean;
  /** What sysfs said at that moment; it comes before the events that follow it in the recording. */
  readonly sysfs?: (item: Extract<RecordingItem, { kind: 'sysfs' }>) => void;
  readonly signal?: AbortSignal;
}

/**
 * Tells a sink what a recording holds, in its order; fulfilled when all was told, or early when `signal` is aborted. Uevents carry the
 * time they were recorded at, so that the same recording always gives the same events.
 */
export async function replay(recording: Recording, sink: IntakeSink, options: ReplayOptions): Promise<void> {
  const { isPaced, sysfs, signal } = options;
  const startedMs = recording.header.started.getTime();
  let nowMs = 0;
  let uevents: Uevent[] = [];
  const flush = (): void => {
    if (uevents.length > 0) sink.uevents(uevents);
    uevents = [];
  };
  for (const [index, item] of recording.items.entries()) {
    if (isPaced && item.tMs > nowMs) {
      flush();
      await sleep(Math.min(item.tMs - nowMs, PAUSE_MAX_MS), undefined, signal === undefined ? {} : { signal }).catch(
        () => {},
      );
    } else if (index % ITEMS_PER_TURN === ITEMS_PER_TURN - 1) {
      flush();
      await nextTurn();
    }
    if (signal?.aborted) return;
    nowMs = item.tMs;
    const atMs = startedMs + item.tMs;
    switch (item.kind) {
      case 'datagram': {
        const parse = item.from === 'kernel' ? parseKernelMessage : parseUdevMessage;
        const parsed = parse(item.bytes, 0, item.bytes.length, { origin: REPLAY, receivedAtMs: atMs });
        if (parsed.kind === 'uevent') uevents.push(parsed.uevent);
        else {
          flush();
          sink.rejected({
            kind: 'message',
            reason: parsed.reason,
            offsetBytes: parsed.offsetBytes,
            lengthBytes: item.bytes.length,
            head: item.bytes.toString('latin1', 0, REJECTION_HEAD_MAX_BYTES),
            atMs,
          });
        }
        break;
      }
      case 'sysfs':
        flush();
        sysfs?.(item);
        break;
      case 'lost':
        flush();
        sink.lost({ kind: item.reason, ...(item.dropped === undefined ? {} : { dropped: item.dropped }), atMs });
        break;
    }
  }
  flush();
}
