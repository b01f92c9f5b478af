/**
 * The rule language as tables: the parser, the checker, the formatter and rules/README.md are all made from them.
 * Source: udev(7); the keys marked `isOurs` are usherd's own.
 */

/** Longest first, so that `=` does not hide the others. */
export const OPERATORS = ['==', '!=', '+=', '-=', ':=', '='] as const;
export type Operator = (typeof OPERATORS)[number];

export const OPERATOR_MEANINGS: Readonly<Record<Operator, string>> = {
  '==': 'matches when the key is like the value',
  '!=': 'matches when it is not',
  '=': 'sets the key; a list has only this value then',
  '+=': 'adds to a list',
  '-=': 'takes out of a list',
  ':=': 'sets the key, and nothing later can change it',
};

/** What stands in braces behind a key: nothing, something of a list, or a name of the writer's choice. */
export interface AttributeSpec {
  readonly isRequired: boolean;
  /** What it is, for a person: `file`, `key`. */
  readonly what: string;
  /** All that can stand there; absent where it is free. */
  readonly choices?: readonly string[];
}

/** One key of the language. */
export interface KeySpec {
  readonly name: string;
  readonly attribute?: AttributeSpec;
  readonly matches: boolean;
  readonly assigns: readonly Operator[];
  /** `==`, `=`, `+=` and `:=` all mean the same: do it, and go on when it went well. */
  readonly runs?: boolean;
  /** Looks at the device and the devices above it; all such keys of a rule must hold on one of them. */
  readonly climbs?: boolean;
  readonly isOurs?: boolean;
  readonly meaning: string;
}

const LIST = ['=', '+=', '-=', ':='] as const;
const VALUE = ['=', ':='] as const;
const file: AttributeSpec = { isRequired: true, what: 'file' };

export const KEYS = [
  key('ACTION', 'what happened: add, remove, change, move, online, offline, bind, unbind'),
  key('DEVPATH', "the device's path below /sys"),
  key('KERNEL', "the device's name"),
  { ...key('KERNELS', 'the name of the device or of one above it'), climbs: true },
  { ...key('NAME', 'the name of a network interface; assigning renames it, on `add`'), assigns: VALUE },
  { ...key('SYMLINK', 'names below /dev that lead to the node, separated by blanks'), assigns: LIST },
  key('SUBSYSTEM', "the device's subsystem"),
  { ...key('SUBSYSTEMS', 'the subsystem of the device or of one above it'), climbs: true },
  key('DRIVER', 'the driver bound to the device'),
  { ...key('DRIVERS', 'the driver of the device or of one above it'), climbs: true },
  { ...key('ATTR', "a file in the device's folder; assigning writes it"), attribute: file, assigns: ['='] },
  { ...key('ATTRS', 'a file of the device or of one above it'), attribute: file, climbs: true },
  {
    ...key('SYSCTL', 'a file below /proc/sys; assigning writes it'),
    attribute: { isRequired: true, what: 'kernel parameter' },
    assigns: ['='],
  },
  {
    ...key('ENV', 'a property of the device; one that begins with a dot goes nowhere else'),
    attribute: { isRequired: true, what: 'key' },
    assigns: ['=', '+='],
  },
  {
    ...key('CONST', 'something that is the same for all devices of this machine'),
    attribute: { isRequired: true, what: 'constant', choices: ['arch', 'virt'] },
  },
  { ...key('TAG', 'a tag of the device'), assigns: ['=', '+=', '-='] },
  { ...key('TAGS', 'a tag of the device or of one above it'), climbs: true },
  {
    ...key('TEST', 'whether a file is there; below the device when the path is not absolute'),
    attribute: { isRequired: false, what: 'octal mode mask' },
  },
  { ...key('PROGRAM', 'runs a program; matches when it ends with 0'), runs: true },
  key('RESULT', 'what the last PROGRAM printed'),
  {
    ...key('IMPORT', 'takes properties from elsewhere; matches when that went well'),
    attribute: {
      isRequired: true,
      what: 'source',
      choices: ['program', 'builtin', 'file', 'db', 'parent', 'cmdline'],
    },
    runs: true,
  },
  { ...key('OWNER', "the node's owner, name or number"), matches: false, assigns: VALUE },
  { ...key('GROUP', "the node's group, name or number"), matches: false, assigns: VALUE },
  { ...key('MODE', "the node's permissions, octal"), matches: false, assigns: VALUE },
  {
    ...key('SECLABEL', "the node's label for a security module: selinux or smack"),
    attribute: { isRequired: true, what: 'security module' },
    matches: false,
    assigns: ['=', '+='],
  },
  {
    ...key('RUN', 'a program to run once all rules are done'),
    attribute: { isRequired: false, what: 'kind', choices: ['program', 'builtin'] },
    matches: false,
    assigns: ['=', '+=', ':='],
  },
  {
    ...key('OPTIONS', 'options of the node and of the rule (below); OPTIONS{module}: parameters for the module'),
    attribute: { isRequired: false, what: 'kind', choices: ['module'] },
    matches: false,
    assigns: ['=', '+=', ':='],
  },
  { ...key('GOTO', 'goes on behind the LABEL of that name, further down in the file'), matches: false, assigns: ['='] },
  { ...key('LABEL', 'where a GOTO leads'), matches: false, assigns: ['='] },
  {
    ...key('MODULE', 'the module in question; assigning puts another in its place'),
    assigns: ['='],
    isOurs: true,
  },
  { ...key('MODALIAS', 'the modalias the device has, or that is asked for'), isOurs: true },
  { ...key('LICENSE', "the module's licence"), isOurs: true },
  { ...key('SIGNER', 'who signed the module; empty when nobody did'), isOurs: true },
  {
    ...key('TAINTS', 'letters the module would taint the kernel with, each for itself: P, C, O, E, K, N'),
    isOurs: true,
  },
  {
    ...key('ORIGIN', 'who asks: kernel, udev, coldplug, resync, replay, injected, request, administrator'),
    isOurs: true,
  },
  {
    ...key('VERDICT', 'whether the module may load: deny, hold, allow'),
    matches: false,
    assigns: VALUE,
    isOurs: true,
  },
  { ...key('REASON', 'a sentence that says why, for people'), matches: false, assigns: ['='], isOurs: true },
  {
    ...key('DRIVER_OVERRIDE', 'the only driver that may take the device'),
    matches: false,
    assigns: ['='],
    isOurs: true,
  },
] as const satisfies readonly KeySpec[];

export type KeyName = (typeof KEYS)[number]['name'];

const BY_NAME: ReadonlyMap<string, KeySpec & { readonly name: KeyName }> = new Map(KEYS.map(spec => [spec.name, spec]));

/** The key of that name, or undefined. */
export function keySpec(name: string): (KeySpec & { readonly name: KeyName }) | undefined {
  return BY_NAME.get(name);
}

function key<Name extends string>(name: Name, meaning: string) {
  return { name, meaning, matches: true, assigns: [] as readonly Operator[] } as const;
}

/** What OPTIONS takes. `value` says what stands behind the `=`. */
export const RULE_OPTIONS: readonly { readonly name: string; readonly value?: string; readonly meaning: string }[] = [
  {
    name: 'link_priority',
    value: 'number',
    meaning: 'of two devices that want one link, the higher has it; 0 when unset',
  },
  {
    name: 'string_escape',
    value: 'none or replace',
    meaning: 'whether characters that are unsafe in names become `_`; unset: in NAME and SYMLINK only',
  },
  {
    name: 'static_node',
    value: 'name',
    meaning: 'the permissions of this rule are also for this node, which is there without its device',
  },
  {
    name: 'watch',
    meaning: 'when somebody has written to the node, a `change` of the device is sent',
  },
  { name: 'nowatch', meaning: 'it is not to be' },
  {
    name: 'db_persist',
    meaning: 'the properties outlive the initial RAM file system; taken: usherd reads its devices anew',
  },
  {
    name: 'log_level',
    value: 'level or reset',
    meaning: 'how much udevd says about this device; taken: `usher rules test` says all',
  },
];

/** One substitution: `$name`, `%x`. */
export interface SubstitutionSpec {
  readonly name: string;
  readonly letter?: string;
  readonly attribute: 'none' | 'optional' | 'required';
  readonly meaning: string;
}

export const SUBSTITUTIONS = [
  { name: 'devnode', letter: 'N', attribute: 'none', meaning: 'the path of the device node' },
  { name: 'tempnode', letter: 'N', attribute: 'none', meaning: 'the same, as it was once called' },
  {
    name: 'attr',
    letter: 's',
    attribute: 'required',
    meaning: 'a file of the device, or of the one a climbing key chose',
  },
  { name: 'sysfs', letter: 's', attribute: 'required', meaning: 'the same, as it was once called' },
  { name: 'env', letter: 'E', attribute: 'required', meaning: 'a property' },
  { name: 'kernel', letter: 'k', attribute: 'none', meaning: "the device's name" },
  { name: 'number', letter: 'n', attribute: 'none', meaning: 'the digits at its end' },
  { name: 'driver', letter: 'd', attribute: 'none', meaning: 'the driver of the device a climbing key chose' },
  { name: 'devpath', letter: 'p', attribute: 'none', meaning: "the device's path below /sys" },
  { name: 'id', letter: 'b', attribute: 'none', meaning: 'the name of the device a climbing key chose' },
  { name: 'major', letter: 'M', attribute: 'none', meaning: "the node's major number" },
  { name: 'minor', letter: 'm', attribute: 'none', meaning: "the node's minor number" },
  {
    name: 'result',
    letter: 'c',
    attribute: 'optional',
    meaning: 'what PROGRAM printed; {2}: its second word; {2+}: from there on',
  },
  { name: 'parent', letter: 'P', attribute: 'none', meaning: 'the node of the device above' },
  { name: 'name', letter: 'D', attribute: 'none', meaning: 'NAME when set, else the name of the node or device' },
  { name: 'links', letter: 'L', attribute: 'none', meaning: 'the links so far' },
  { name: 'root', letter: 'r', attribute: 'none', meaning: '/dev' },
  { name: 'sys', letter: 'S', attribute: 'none', meaning: '/sys' },
] as const satisfies readonly SubstitutionSpec[];

export type SubstitutionName = (typeof SUBSTITUTIONS)[number]['name'];

/** Builtins, and what each needs. `provided: false`: known, and answered as having failed. */
export const BUILTINS: readonly { readonly name: string; readonly isProvided: boolean; readonly meaning: string }[] = [
  { name: 'blkid', isProvided: true, meaning: "ID_FS_* and ID_PART_*, by the system's blkid" },
  { name: 'hwdb', isProvided: true, meaning: 'properties from the hardware database' },
  { name: 'input_id', isProvided: true, meaning: 'ID_INPUT_*: what kind of input device it is' },
  { name: 'kmod', isProvided: true, meaning: "RUN only: loads modules, through usherd's own loader and policy" },
  { name: 'net_id', isProvided: true, meaning: 'ID_NET_NAME_*: names from where an interface is plugged in' },
  { name: 'path_id', isProvided: true, meaning: 'ID_PATH: where the device is plugged in' },
  { name: 'usb_id', isProvided: true, meaning: 'ID_VENDOR, ID_MODEL, ID_SERIAL and more of a USB device' },
  { name: 'btrfs', isProvided: false, meaning: 'whether all devices of a file system are there' },
  { name: 'keyboard', isProvided: false, meaning: 'writes key codes into the kernel' },
  { name: 'net_setup_link', isProvided: false, meaning: 'applies systemd.link(5) files' },
  { name: 'uaccess', isProvided: false, meaning: "gives the seat's user access; logind's matter" },
];

/** Properties no rule may set, because they say what the kernel said. Source: systemd, device-util.h. */
export const FIXED_PROPERTIES: ReadonlySet<string> = new Set([
  'ACTION',
  'DEVLINKS',
  'DEVNAME',
  'DEVPATH',
  'DEVTYPE',
  'DRIVER',
  'IFINDEX',
  'MAJOR',
  'MINOR',
  'SEQNUM',
  'SUBSYSTEM',
  'TAGS',
]);

/** Longest logical line, in bytes; a longer one is left out whole. Source: systemd, UDEV_LINE_SIZE. */
export const LINE_MAX_BYTES = 16_384;
/** Longest a path or a link may become by substitution. Source: systemd, UDEV_PATH_SIZE. */
export const PATH_MAX_BYTES = 1024;
/** Longest a name, tag, owner or label may become. Source: systemd, UDEV_NAME_SIZE. */
export const NAME_MAX_BYTES = 512;
