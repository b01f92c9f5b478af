import { setTimeout as pause } from 'node:timers/promises';

/** Longest somebody waits for what sysfs says of some devices: a driver that is trying one of them may take for ever. */
export const HELD_BACK_MAX_MS = 1000;
/** Devices that are read in one piece, a few milliseconds; of these none is known where one of them is held back. */
const PIECE_DEVICES = 256;

/** Reads something of many devices, for who cannot wait for drivers: what is held back too long is left out, and named. */
export async function readInTime<Device, Read>(
  devices: readonly Device[],
  read: (piece: readonly Device[]) => Promise<readonly Read[]>,
): Promise<{ readonly read: readonly Read[]; readonly heldBack: readonly Device[] }> {
  const all: Read[] = [];
  const heldBack: Device[] = [];
  for (let at = 0; at < devices.length; at += PIECE_DEVICES) {
    const piece = devices.slice(at, at + PIECE_DEVICES);
    const inTime = await Promise.race([read(piece), heldBackTooLong()]);
    if (inTime === undefined) heldBack.push(...piece);
    else all.push(...inTime);
  }
  return { read: all, heldBack };
}

/** Ends once nobody waits any longer for what a driver may hold back. */
export function heldBackTooLong(): Promise<undefined> {
  return pause(HELD_BACK_MAX_MS, undefined, { ref: false });
}
