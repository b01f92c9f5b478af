import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { UeventQueue } from '../pipeline/1-intake/uevent-queue.ts';

/** How often is looked while somebody waits; nobody waiting costs nothing. */
const LOOK_EVERY_MS = 10;

/**
 * Looks in a row, with the socket read empty and nothing in flight at each, after which a number that has not come never will: events of
 * network devices in other namespaces take a number and are not sent to us. The number is taken before the event is sent, so that
 * one look is not enough.
 */
const EMPTY_LOOKS = 10;

/**
 * Waits until every event the kernel had numbered when asked is dealt with and nothing is in flight. False when the signal came
 * first. Source: /sys/kernel/uevent_seqnum; that nothing came for a while would be no proof.
 */
export async function isSettled(
  queue: Pick<UeventQueue<unknown>, 'size' | 'lastHandledSeqnum'>,
  sysRoot: string,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = readKernelSeqnum(sysRoot);
  let seen = queue.lastHandledSeqnum;
  let emptyLooks = 0;
  while (!signal.aborted) {
    const handled = queue.lastHandledSeqnum;
    if (queue.size === 0 && handled >= wanted) return true;
    emptyLooks = queue.size === 0 && handled === seen ? emptyLooks + 1 : 0;
    if (emptyLooks > EMPTY_LOOKS) return true;
    seen = handled;
    await pause(LOOK_EVERY_MS);
    await nextTurn(); // Between the two the event loop has read the socket, if there was anything in it.
  }
  return false;
}

/** The number of the last uevent the kernel made; 0 where that cannot be read. */
export function readKernelSeqnum(sysRoot: string): bigint {
  try {
    return BigInt(readFileSync(path.join(sysRoot, 'kernel/uevent_seqnum'), 'latin1').trim());
  } catch {
    return 0n;
  }
}
