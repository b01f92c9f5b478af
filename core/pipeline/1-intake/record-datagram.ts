import { readFileSync, readlinkSync } from 'node:fs';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import type { IntakeGroup } from './admission.ts';
import { parseKernelMessage } from './kernel-message.ts';
import type { RecordingItem } from './recording.ts';
import { parseUdevMessage } from './udev-message.ts';

/** Attributes and links that say what a device is. Not all: some attributes do something when they are read. */
const ATTRIBUTES = ['uevent', 'modalias', 'type', 'idVendor', 'idProduct', 'bInterfaceClass', 'vendor', 'device', 'class'];
const LINKS = ['subsystem', 'driver'];

/** A datagram → what a recording keeps of it: for an added device first what sysfs says at this moment, then the bytes. */
export function recordDatagram(
  datagram: Uint8Array,
  from: IntakeGroup,
  tMs: number,
  root: Pick<SystemRoot, 'sys'>,
): readonly RecordingItem[] {
  const bytes = Buffer.from(datagram); // The caller's bytes are overwritten by the next batch.
  const parse = from === 'kernel' ? parseKernelMessage : parseUdevMessage;
  const parsed = parse(bytes, 0, bytes.length, { origin: { kind: 'replay' }, receivedAtMs: 0 });
  const item: RecordingItem = { kind: 'datagram', tMs, from, bytes };
  if (parsed.kind !== 'uevent' || parsed.uevent.action !== 'add') return [item];
  return [readSysfsItem(parsed.uevent.devpath, tMs, root), item];
}

function readSysfsItem(devpath: Devpath, tMs: number, { sys }: Pick<SystemRoot, 'sys'>): RecordingItem {
  const attrs = textsOf(ATTRIBUTES, name => readFileSync(`${sys}${devpath}/${name}`, 'utf8').trimEnd());
  const links = textsOf(LINKS, name => readlinkSync(`${sys}${devpath}/${name}`));
  return { kind: 'sysfs', tMs, devpath, attrs, links };
}

/** Those that are there; most devices have few of them. */
function textsOf(names: readonly string[], read: (name: string) => string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const name of names) {
    try {
      texts[name] = read(name);
    } catch {
      continue;
    }
  }
  return texts;
}
