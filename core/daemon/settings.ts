/** How many bytes the netlink socket may hold: 317,000 events of backlog, measured. A limit, not memory in use. */
const RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024;

/** What usherd.toml can set. Every setting has a value that works. */
export interface Settings {
  readonly source: 'auto' | 'kernel' | 'udev';
  readonly coldplug: boolean;
  readonly observe: boolean;
  readonly receiveBufferBytes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  source: 'auto',
  coldplug: true,
  observe: false,
  receiveBufferBytes: RECEIVE_BUFFER_BYTES,
};

/** One setting as the file writes it: the reader, usherd.toml(5) and the shipped example are made from this table. */
export interface SettingSpec {
  readonly key: string;
  readonly field: keyof Settings;
  /** What the value must be, for a person. */
  readonly wanted: string;
  readonly description: string;
  /** A value of the file → the setting's, or undefined when it is not what is wanted. */
  parse(value: unknown): Settings[keyof Settings] | undefined;
}

export const SETTINGS: readonly SettingSpec[] = [
  {
    key: 'source',
    field: 'source',
    wanted: '"auto", "kernel" or "udev"',
    description:
      'Who is listened to. "kernel" takes uevents as the kernel sends them; "udev" takes them from systemd-udevd once its rules have run; "auto" is "udev" where udevd runs and "kernel" elsewhere.',
    parse: value => (value === 'auto' || value === 'kernel' || value === 'udev' ? value : undefined),
  },
  {
    key: 'coldplug',
    field: 'coldplug',
    wanted: 'true or false',
    description: 'Whether the devices that are there already at start are gone through, parents first.',
    parse: value => (typeof value === 'boolean' ? value : undefined),
  },
  {
    key: 'observe',
    field: 'observe',
    wanted: 'true or false',
    description:
      'When true nothing is loaded: usherd says and records what it would do. Always so when it does not run as root.',
    parse: value => (typeof value === 'boolean' ? value : undefined),
  },
  {
    key: 'receive_buffer',
    field: 'receiveBufferBytes',
    wanted: 'a size from "4KiB" to "1GiB"',
    description:
      'How much the kernel may keep for usherd while it is busy. Beyond that events are lost, which usherd notices and mends from /sys.',
    parse: parseSize,
  },
];

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `"128MiB"` or a number of bytes → bytes, or undefined outside 4 KiB … 1 GiB. */
export function parseSize(value: unknown): number | undefined {
  const [, digits, unit] = /^(\d{1,12})\s*(KiB|MiB|GiB|)$/.exec(String(value)) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit ?? ''] ?? Number.NaN);
  return bytes >= 4096 && bytes <= 1024 ** 3 ? bytes : undefined;
}
