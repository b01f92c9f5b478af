/** A device's place below /sys, beginning with a slash: `/devices/pci0000:00/0000:00:1f.2`. */
export type Devpath = string & { readonly __brand: 'Devpath' };

/** Longest devpath taken from outside: PATH_MAX of the kernel. */
export const DEVPATH_MAX_BYTES = 4096;

/** Text from outside → a devpath, or undefined when it is none: not absolute, `.` or `..` or empty parts, a NUL, too long. */
export function parseDevpath(text: string): Devpath | undefined {
  if (text.length < 2 || text.length > DEVPATH_MAX_BYTES || text.charCodeAt(0) !== 0x2f) return undefined;
  if (text.endsWith('/') || text.includes('//') || text.includes('\0')) return undefined;
  if (text.includes('/.') && /\/\.{1,2}(?:\/|$)/.test(text)) return undefined;
  return text as Devpath;
}

/** The devpath that holds this one, or undefined at the top (`/devices` has none). */
export function parentDevpath(devpath: Devpath): Devpath | undefined {
  const slash = devpath.lastIndexOf('/');
  return slash <= 0 ? undefined : (devpath.slice(0, slash) as Devpath);
}

/** All that hold this one, the nearest first. */
export function devpathsAbove(devpath: Devpath): Devpath[] {
  const above: Devpath[] = [];
  for (let at = parentDevpath(devpath); at !== undefined; at = parentDevpath(at)) above.push(at);
  return above;
}

/**
 * Whether two devpaths are the same device or one is an ancestor of the other. Whole parts count: veth9 and veth99 are strangers.
 * Source: the rule systemd-udevd orders events by (systemd, udev-manager.c, devpath_conflict).
 */
export function devpathsConflict(a: Devpath, b: Devpath): boolean {
  if (a.length === b.length) return a === b;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long.startsWith(short) && long.charCodeAt(short.length) === 0x2f;
}
