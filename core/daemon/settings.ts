import { FINDER_NAMES, type FinderName } from '../drivers/candidate.ts';
import { DEFAULT_DRIVER_SETTINGS, type DriverSettings } from '../drivers/driver-settings.ts';
import { DEFAULT_POLICY, type PolicySettings } from '../pipeline/4-policy/policy-settings.ts';
import type { Retention } from '../pipeline/7-ledger/retention.ts';
import { subjectOf } from '../pipeline/4-policy/standing-decisions.ts';

/** How many bytes the netlink socket may hold: 317,000 events of backlog, measured. A limit, not memory in use. */
const RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024;

/** What usherd.toml can set. Every setting has a value that works. */
export interface Settings extends PolicyFields, LedgerFields, DriverFields {
  readonly source: 'auto' | 'kernel' | 'udev';
  readonly coldplug: boolean;
  readonly observe: boolean;
  readonly receiveBufferBytes: number;
  /** Folders of rules beside usherd's own, strongest first. */
  readonly rulesDirs: readonly string[];
  readonly manageDev: boolean;
}

/** The settings of policy by the names they have among all others. */
interface PolicyFields {
  readonly policyDefault: PolicySettings['default'];
  readonly allowRequests: PolicySettings['allowRequests'];
  readonly hold: PolicySettings['hold'];
  readonly usbGate: PolicySettings['usbGate'];
}

/** The settings of the ledger; 0 keeps all. */
interface LedgerFields {
  readonly keepDays: number;
  readonly keepDecisionDays: number;
  readonly keepIncidentDays: number;
  readonly keepEvents: number;
  readonly keepBytes: number;
  readonly hashSerials: boolean;
  /** A file; empty for none. */
  readonly signKey: string;
}

/** The settings of the fetching of drivers by the names they have among all others. */
interface DriverFields {
  readonly driverFinders: DriverSettings['finders'];
  readonly driverOrigins: DriverSettings['origins'];
  readonly driverInstallFrom: DriverSettings['installFrom'];
}

/** Settings → those that drivers are looked for and installed by. */
export function driverSettingsOf({ driverFinders, driverOrigins, driverInstallFrom }: DriverFields): DriverSettings {
  return { finders: driverFinders, origins: driverOrigins, installFrom: driverInstallFrom };
}

/** Settings → how long what is kept. */
export function retentionOf(settings: LedgerFields): Retention {
  const bound = (number: number): number | undefined => (number === 0 ? undefined : number);
  return {
    eventDays: bound(settings.keepDays),
    decisionDays: bound(settings.keepDecisionDays),
    incidentDays: bound(settings.keepIncidentDays),
    maxEvents: bound(settings.keepEvents),
    maxBytes: bound(settings.keepBytes),
  };
}

/** Settings → those that policy goes by. */
export function policyOf({ policyDefault, allowRequests, hold, usbGate }: PolicyFields): PolicySettings {
  return { default: policyDefault, allowRequests, hold, usbGate };
}

export const DEFAULT_SETTINGS: Settings = {
  source: 'auto',
  coldplug: true,
  observe: false,
  receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  rulesDirs: [],
  manageDev: false,
  policyDefault: DEFAULT_POLICY.default,
  allowRequests: DEFAULT_POLICY.allowRequests,
  hold: DEFAULT_POLICY.hold,
  usbGate: DEFAULT_POLICY.usbGate,
  keepDays: 0,
  keepDecisionDays: 0,
  keepIncidentDays: 0,
  keepEvents: 0,
  keepBytes: 0,
  hashSerials: false,
  signKey: '',
  driverFinders: DEFAULT_DRIVER_SETTINGS.finders,
  driverOrigins: DEFAULT_DRIVER_SETTINGS.origins,
  driverInstallFrom: DEFAULT_DRIVER_SETTINGS.installFrom,
};

/** One setting as the file writes it, `table.key` for one in a table: the reader, usherd.toml(5) and the shipped example are made from this table. */
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
  {
    key: 'rules_dirs',
    field: 'rulesDirs',
    wanted: 'a list of absolute paths',
    description:
      "Folders whose .rules files are read beside usherd's own (rules.d in each of its configuration folders), strongest first. With udev's own folders in it their rules are gone through, too; what they do to devices is done only with manage_dev.",
    parse: value =>
      Array.isArray(value) && value.every(item => typeof item === 'string' && item.startsWith('/'))
        ? (value as string[])
        : undefined,
  },
  {
    key: 'manage_dev',
    field: 'manageDev',
    wanted: 'true or false',
    description:
      'Whether usherd gives device nodes their owners, permissions, labels and links and network interfaces their names, and runs what rules of any folder say, for a system without udevd. Off by default: two managers of one /dev undo each other.',
    parse: value => (typeof value === 'boolean' ? value : undefined),
  },
  {
    key: 'policy.default',
    field: 'policyDefault',
    wanted: '"allow" or "deny-unmatched"',
    description:
      'With "deny-unmatched" a module may load only because a device that is there asks for it by its modalias, with all that module needs. What the kernel asks for by itself (protocol families, file systems) and modprobe by name are denied and explained. It follows the hardware: a new device or kernel needs no change here.',
    parse: value => (value === 'allow' || value === 'deny-unmatched' ? value : undefined),
  },
  {
    key: 'policy.allow_requests',
    field: 'allowRequests',
    wanted: 'a list of aliases, names or patterns as "fs-*"',
    description: 'With "deny-unmatched": what the kernel, or modprobe, may ask for all the same.',
    parse: parsePatterns,
  },
  {
    key: 'policy.hold',
    field: 'hold',
    wanted: 'a list of modaliases, modules or patterns as "usb:*ic08*"',
    description:
      'Devices whose modalias matches, or that ask for a module of this name, wait until usher approve or usher deny has answered. A device whose driver is loaded already is taken by it all the same, unless policy.usb_gate keeps it.',
    parse: parsePatterns,
  },
  {
    key: 'policy.usb_gate',
    field: 'usbGate',
    wanted: '"off", "interface" or "device"',
    description:
      'With "interface" the kernel keeps every new USB interface from its driver, also from one that is loaded already, until usherd has let it in: at once when nothing speaks against it, after usher approve when it is held, never when what would drive it is denied. With "device" a new device is not even set up before that: it is judged as a whole, by what its descriptors say its interfaces are, and then each interface. Set at start for all controllers, taken back when usherd stops; when it is killed what is new stays without a driver until it runs again.',
    parse: value => (value === 'off' || value === 'interface' || value === 'device' ? value : undefined),
  },
  {
    key: 'ledger.keep_days',
    field: 'keepDays',
    wanted: 'a whole number of days, 0 for ever',
    description:
      'How long events are kept for which nothing had to be decided. What is too old is pruned once a day, and by usher history prune; the record says what went, and usher history verify still proves the rest.',
    parse: value => parseCount(value, DAYS_MAX),
  },
  {
    key: 'ledger.keep_decision_days',
    field: 'keepDecisionDays',
    wanted: 'a whole number of days, 0 for ever',
    description: 'How long decisions are kept, with their events, outcomes and binds.',
    parse: value => parseCount(value, DAYS_MAX),
  },
  {
    key: 'ledger.keep_incident_days',
    field: 'keepIncidentDays',
    wanted: 'a whole number of days, 0 for ever',
    description:
      'How long losses, rejections, reloads and the like are kept. Changes of policy and prunings are kept for ever.',
    parse: value => parseCount(value, DAYS_MAX),
  },
  {
    key: 'ledger.keep_events',
    field: 'keepEvents',
    wanted: 'a whole number, 0 for all',
    description: 'How many of the newest events are kept for which nothing had to be decided.',
    parse: value => parseCount(value, Number.MAX_SAFE_INTEGER),
  },
  {
    key: 'ledger.keep_bytes',
    field: 'keepBytes',
    wanted: 'a size as "500MiB" or "4GiB", 0 for any',
    description:
      'How large the record may become. Beyond it the oldest events go, then the oldest decisions; the file does not shrink, its room is used again.',
    parse: parseKeptBytes,
  },
  {
    key: 'ledger.hash_serials',
    field: 'hashSerials',
    wanted: 'true or false',
    description:
      'Whether serial numbers, unique names, world wide names and hardware addresses are recorded as keyed hashes only (hmac: and 24 digits), in the environment of events, in links by id, and where an address is part of an interface name. The key is serial.key in the state folder, made on first use; who has it can still ask for a number in plain, with usher history --env. What was recorded before stays as it is. Rules and policy see the plain values.',
    parse: value => (typeof value === 'boolean' ? value : undefined),
  },
  {
    key: 'ledger.sign_key',
    field: 'signKey',
    wanted: 'an absolute path',
    description: 'Private key (PEM, Ed25519) that prunings are signed with; see usher history anchor.',
    parse: value => (typeof value === 'string' && (value === '' || value.startsWith('/')) ? value : undefined),
  },
  {
    key: 'vendor_driver.finders',
    field: 'driverFinders',
    wanted: `a list of ${FINDER_NAMES.map(name => `"${name}"`).join(', ')}`,
    description:
      'Who is asked for the driver of a device: the module tree, Modaliases headers of apt’s packages, AppStream components, Contents lists for missing firmware, dnf’s modalias() provides, the signed catalogues of catalogue.d.',
    parse: value =>
      Array.isArray(value) && value.every((name): name is FinderName => FINDER_NAMES.some(known => known === name))
        ? value
        : undefined,
  },
  {
    key: 'vendor_driver.origins',
    field: 'driverOrigins',
    wanted: 'a list of names of origins',
    description:
      'The only origins drivers may come from: the Origin of a repository’s Release file as "Debian", or "catalogue NAME". Empty for every one whose signature the system checks; what is not signed is never taken.',
    parse: parseNames,
  },
  {
    key: 'vendor_driver.install_from',
    field: 'driverInstallFrom',
    wanted: 'a list of names of origins',
    description:
      'Origins whose drivers are installed without asking, by usher driver install --by-policy. Empty by default: drivers are only proposed.',
    parse: parseNames,
  },
];

/** More names than repositories anybody has. */
const NAMES_MAX = 256;

function parseNames(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) &&
    value.length <= NAMES_MAX &&
    value.every((name): name is string => typeof name === 'string' && name.trim() !== '')
    ? value
    : undefined;
}

/** A hundred years: who wants more wants 0. */
const DAYS_MAX = 36_500;

function parseCount(value: unknown, max: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max ? value : undefined;
}

function parseKeptBytes(value: unknown): number | undefined {
  const [, digits, unit] = /^(\d{1,15})\s*(KiB|MiB|GiB|)$/.exec(String(value)) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** More patterns than a person keeps an eye on; each is tried on every question. */
const PATTERNS_MAX = 1024;

function parsePatterns(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > PATTERNS_MAX) return undefined;
  const patterns = value.filter((item): item is string => typeof item === 'string' && subjectOf(item) !== undefined);
  return patterns.length === value.length ? patterns : undefined;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `"128MiB"` or a number of bytes → bytes, or undefined outside 4 KiB … 1 GiB. */
export function parseSize(value: unknown): number | undefined {
  const [, digits, unit] = /^(\d{1,12})\s*(KiB|MiB|GiB|)$/.exec(String(value)) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit ?? ''] ?? Number.NaN);
  return bytes >= 4096 && bytes <= 1024 ** 3 ? bytes : undefined;
}
