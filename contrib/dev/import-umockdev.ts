/**
 * Turns a device dump of umockdev-record (*.umockdev) into a recording (*.uevents), so that a user's bug report becomes a scenario:
 * `node contrib/dev/import-umockdev.ts DUMP > RECORDING`.
 *
 * A dump has a block of lines for each device, children first, blocks apart by an empty line. Source: umockdev's docs/format.
 *   P: /devices/…           devpath            A: name=value   attribute, newlines as \n
 *   N: bus/usb/001/011=…    device node        H: name=hex     binary attribute
 *   S: disk/by-id/…         link in /dev       L: name=target  link in sysfs
 *   E: KEY=VALUE            udev's property
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  formatRecordingHeader,
  formatRecordingItem,
  type RecordingItem,
} from '../../core/pipeline/1-intake/recording.ts';
import { parseDevpath, type Devpath } from '../../core/vocabulary/devpath.ts';
import { formatProblem, type Problem } from '../../core/vocabulary/place.ts';

interface DumpedDevice {
  readonly devpath: Devpath;
  readonly properties: Map<string, string>;
  readonly attrs: Record<string, string>;
  readonly links: Record<string, string>;
}

/** Properties that udevd's rules add, and which the kernel therefore does not send. */
const ADDED_BY_UDEV = /^(?:ID_|USEC_INITIALIZED$|DEVLINKS$|TAGS$|CURRENT_TAGS$|DEVPATH$|ACTION$|SEQNUM$|SUBSYSTEM$|\.)/;

/** Text of a dump → the lines of a recording in which each device is added, parents first; and what could not be read. */
export function importUmockdev(text: string, file: string): { recording: string; problems: readonly Problem[] } {
  const { devices, problems } = parseDump(text, file);
  const lines = [formatRecordingHeader({ kernel: 'umockdev', started: new Date(0) })];
  const parentsFirst = devices.toSorted((a, b) => a.devpath.split('/').length - b.devpath.split('/').length);
  for (const [index, device] of parentsFirst.entries()) {
    for (const item of itemsOf(device, index + 1)) lines.push(formatRecordingItem(item));
  }
  return { recording: lines.join(''), problems };
}

function itemsOf({ devpath, properties, attrs, links }: DumpedDevice, seqnum: number): RecordingItem[] {
  const subsystem = properties.get('SUBSYSTEM') ?? path.basename(links['subsystem'] ?? '');
  const sysfs: RecordingItem = { kind: 'sysfs', tMs: seqnum, devpath, attrs, links };
  // What has no subsystem sends no uevents: a host bridge, a folder that only groups.
  if (subsystem === '') return [sysfs];
  const sent = [...properties].filter(([key]) => !ADDED_BY_UDEV.test(key));
  const variables = [
    'ACTION=add',
    `DEVPATH=${devpath}`,
    `SUBSYSTEM=${subsystem}`,
    // The kernel names nodes below /dev, udev with it.
    ...sent.map(([key, value]) => `${key}=${key === 'DEVNAME' ? value.replace(/^\/dev\//, '') : value}`),
    `SEQNUM=${seqnum}`,
  ];
  const bytes = Buffer.from([`add@${devpath}`, ...variables].map(variable => `${variable}\0`).join(''));
  return [sysfs, { kind: 'datagram', tMs: seqnum, from: 'kernel', bytes }];
}

function parseDump(text: string, file: string): { devices: DumpedDevice[]; problems: Problem[] } {
  const devices: DumpedDevice[] = [];
  const problems: Problem[] = [];
  let device: DumpedDevice | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const problem = (message: string): void => void problems.push({ place: { file, line: index + 1 }, message });
    const kind = line.slice(0, 2);
    const rest = line.slice(3);
    if (line === '') device = undefined;
    else if (line.startsWith('#')) continue;
    else if (kind === 'P:') {
      const devpath = parseDevpath(rest);
      device = devpath && { devpath, properties: new Map(), attrs: newRecord(), links: newRecord() };
      if (device === undefined) problem(`"${rest}" is not a path below /sys`);
      else devices.push(device);
    } else if (device === undefined) problem('the line belongs to no device: a block begins with "P: /devices/…"');
    else if (kind === 'E:' || kind === 'A:' || kind === 'L:') {
      const equals = rest.indexOf('=');
      if (equals < 1) problem(`"${rest}" wants the form name=value`);
      else addTo(device, kind, rest.slice(0, equals), rest.slice(equals + 1));
    } else if (kind !== 'N:' && kind !== 'S:' && kind !== 'H:')
      problem(`lines that begin with "${kind}" are not known`);
  }
  return { devices, problems };
}

function addTo(device: DumpedDevice, kind: 'E:' | 'A:' | 'L:', name: string, value: string): void {
  if (kind === 'E:') device.properties.set(name, value);
  else if (kind === 'L:') device.links[name] = value;
  else {
    const text = value.replaceAll(/\\(n|\\)/g, (_, letter: string) => (letter === 'n' ? '\n' : '\\'));
    // A recording has attributes without the newline that the kernel ends each with.
    device.attrs[name] = text.endsWith('\n') ? text.slice(0, -1) : text;
  }
}

function newRecord(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

if (process.argv[1] === import.meta.filename) {
  const file = process.argv[2];
  if (file === undefined) {
    console.error('usage: import-umockdev.ts DUMP > RECORDING');
    process.exitCode = 2;
  } else {
    const { recording, problems } = importUmockdev(readFileSync(file, 'utf8'), file);
    process.stdout.write(recording);
    for (const problem of problems) console.error(formatProblem(problem));
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
