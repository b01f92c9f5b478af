import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RuleDevice, StoredDevice } from './rule-context.ts';

/** Largest entry read, in bytes; a device with a thousand properties has a tenth of it. */
const ENTRY_MAX_BYTES = 1024 * 1024;

/**
 * A device's name in udev's database: `b8:0`, `c1:3`, `n2`, `+pci:0000:00:1f.2`, `+drivers:usb:hub`. Undefined when it can have none.
 * Source: systemd, device_get_device_id.
 */
export function databaseId({ subsystem, sysname, uevent, devpath }: RuleDevice): string | undefined {
  const { MAJOR, MINOR, IFINDEX } = uevent;
  if (subsystem === undefined) return undefined;
  if (MAJOR !== undefined && MINOR !== undefined) return `${subsystem === 'block' ? 'b' : 'c'}${MAJOR}:${MINOR}`;
  if (IFINDEX !== undefined) return `n${IFINDEX}`;
  const name = sysname.replaceAll('/', '!');
  if (subsystem !== 'drivers') return `+${subsystem}:${name}`;
  const [, bus] = /^\/bus\/([^/]+)\/drivers\//.exec(devpath) ?? [];
  return bus === undefined ? undefined : `+drivers:${bus}:${name}`;
}

/** What udevd has stored of a device, below RUN/udev/data; undefined when it has nothing. */
export function readDatabase(run: string, device: RuleDevice): StoredDevice | undefined {
  const id = databaseId(device);
  if (id === undefined) return undefined;
  const file = path.join(run, 'udev/data', id);
  // Most have none, and to ask is cheaper than to be refused.
  if (!existsSync(file)) return undefined;
  try {
    return parseDatabaseEntry(readFileSync(file, 'utf8').slice(0, ENTRY_MAX_BYTES));
  } catch {
    return undefined;
  }
}

/** Lines `E:KEY=VALUE`, `G:TAG`, `S:LINK` → what is stored; other letters say what rules do not ask for. */
export function parseDatabaseEntry(text: string): StoredDevice {
  const properties = new Map<string, string>();
  const tags: string[] = [];
  const links: string[] = [];
  for (const line of text.split('\n')) {
    const value = line.slice(2);
    const equals = value.indexOf('=');
    if (line.startsWith('E:') && equals > 0) properties.set(value.slice(0, equals), value.slice(equals + 1));
    else if (line.startsWith('G:')) tags.push(value);
    else if (line.startsWith('S:')) links.push(value);
  }
  return { properties, tags, links };
}
