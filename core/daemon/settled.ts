import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { UeventQueue } from '../pipeline/1-intake/uevent-queue.ts';

/**
 * How long the kernel's counter must stand still, with nothing in flight, when its last number never comes: events of network
 * devices in other namespaces take a number and are not sent to us.
 */
const FOREIGN_NUMBER_GRACE_MS = 100;

/** How often the kernel's counter is looked at while somebody waits; nobody waiting costs nothing. */
const LOOK_EVERY_MS = 10;

/**
 * Waits until every event the kernel had numbered when asked is dealt with and nothing is in flight. False when the signal came
 * first. Source: /sys/kernel/uevent_seqnum; an idle time alone would be no proof.
 */
export async function isSettled(
  queue: Pick<UeventQueue<unknown>, 'size' | 'lastHandledSeqnum'>,
  sysRoot: string,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = readKernelSeqnum(sysRoot);
  let quietSince: number | undefined;
  while (!signal.aborted) {
    const isIdle = queue.size === 0;
    if (isIdle && queue.lastHandledSeqnum >= wanted) return true;
    if (!isIdle) quietSince = undefined;
    else quietSince ??= performance.now();
    if (quietSince !== undefined && performance.now() - quietSince >= FOREIGN_NUMBER_GRACE_MS) return true;
    await pause(LOOK_EVERY_MS);
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
