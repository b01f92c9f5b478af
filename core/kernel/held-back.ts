import { setTimeout as pause } from 'node:timers/promises';
import type { Devpath } from '../vocabulary/devpath.ts';

/** Longest somebody waits for what sysfs says of some devices: a driver that is trying one of them may take for ever. */
const HELD_BACK_MAX_MS = 1000;
/** And for each smaller part of them, until it is known which one it is. */
const NARROWED_MAX_MS = 200;
/** Devices that are read in one piece, a few milliseconds. */
const PIECE_DEVICES = 256;
/** Parts of a piece in which something is held back, read side by side. */
const PARTS = 16;

/** Devices that are held back: what was begun to be read of them has not ended. Nobody waits for them, or begins anew, until it has. */
const stuck = new Set<Devpath>();

interface Told<Device, Read> {
  readonly read: readonly Read[];
  readonly heldBack: readonly Device[];
}

/** Reads something of many devices, for who cannot wait for drivers: what is held back too long is left out, and named. */
export async function readInTime<Device extends { readonly devpath: Devpath }, Read>(
  devices: readonly Device[],
  read: (some: readonly Device[]) => Promise<readonly Read[]>,
): Promise<Told<Device, Read>> {
  const isStuck = ({ devpath }: Device): boolean => stuck.has(devpath);
  const told: Told<Device, Read>[] = [{ read: [], heldBack: devices.filter(isStuck) }];
  for (const piece of parted(
    devices.filter(device => !isStuck(device)),
    PIECE_DEVICES,
  ))
    told.push(await readPiece(piece, read, heldBackTooLong()));
  return joined(told);
}

/** Ends once nobody waits any longer for what a driver may hold back. */
export function heldBackTooLong(maxMs = HELD_BACK_MAX_MS): Promise<undefined> {
  return pause(maxMs, undefined, { ref: false });
}

async function readPiece<Device extends { readonly devpath: Devpath }, Read>(
  devices: readonly Device[],
  read: (some: readonly Device[]) => Promise<readonly Read[]>,
  tooLong: Promise<undefined>,
): Promise<Told<Device, Read>> {
  const reading = read(devices);
  const inTime = await Promise.race([reading, tooLong]);
  if (inTime !== undefined) return { read: inTime, heldBack: [] };
  const [first] = devices;
  if (devices.length === 1 && first !== undefined) {
    const ended = (): unknown => stuck.delete(first.devpath);
    stuck.add(first.devpath);
    void reading.then(ended, ended);
    return { read: [], heldBack: devices };
  }
  const parts = parted(devices, Math.ceil(devices.length / PARTS));
  return joined(await Promise.all(parts.map(part => readPiece(part, read, heldBackTooLong(NARROWED_MAX_MS)))));
}

function joined<Device, Read>(told: readonly Told<Device, Read>[]): Told<Device, Read> {
  return { read: told.flatMap(({ read }) => read), heldBack: told.flatMap(({ heldBack }) => heldBack) };
}

function parted<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
