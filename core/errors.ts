/**
 * Every reason for which usherd cannot go on, in one table: code → sentence, hint for the person, exit status of the command.
 * What the world refuses in an expected way (EEXIST, a denied module) is a value in a result, not an error of this table.
 */
export const ERRORS = {
  USAGE: { sentence: 'the command line is not understood', hint: 'usher VERB --help', exitStatus: 2 },
  FILE_UNREADABLE: {
    sentence: 'a file that is needed cannot be read',
    hint: 'check that it exists and who may read it',
    exitStatus: 4,
  },
  FILE_UNWRITABLE: {
    sentence: 'a file cannot be written',
    hint: 'check the folder, the room on its disk and who may write there',
    exitStatus: 4,
  },
  INDEX_TRUNCATED: {
    sentence: 'a module index ends before its data does',
    hint: 'run depmod again for that kernel',
    exitStatus: 5,
  },
  INDEX_BAD_MAGIC: {
    sentence: 'a module index does not begin with the magic number of one',
    hint: 'run depmod again for that kernel',
    exitStatus: 5,
  },
  INDEX_BAD_VERSION: {
    sentence: 'a module index has a version this reader does not know',
    hint: 'run depmod again for that kernel',
    exitStatus: 5,
  },
  INDEX_DAMAGED: {
    sentence: 'a module index points outside itself',
    hint: 'run depmod again for that kernel',
    exitStatus: 5,
  },
  MODULE_FILE_DAMAGED: {
    sentence: 'a module file cannot be made sense of',
    hint: 'reinstall the package that owns it',
    exitStatus: 5,
  },
  MODULE_FILE_TOO_LARGE: {
    sentence: 'a module file is larger, or expands to more, than any module does',
    hint: 'reinstall the package that owns it',
    exitStatus: 5,
  },
  COMPRESSION_UNAVAILABLE: {
    sentence: 'a compressed file needs a library that is not there',
    hint: 'install liblzma5',
    exitStatus: 6,
  },
  NATIVE_MISSING: { sentence: 'the native addon is not built', hint: 'npm run build (needs gcc)', exitStatus: 6 },
  NETLINK_UNAVAILABLE: {
    sentence: 'the kernel gives no uevent socket',
    hint: 'usherd must run in the host network namespace',
    exitStatus: 6,
  },
  LEDGER_NEWER: {
    sentence: 'the ledger was written by a newer usherd',
    hint: 'run that version, or name another --state-dir',
    exitStatus: 7,
  },
  LEDGER_DAMAGED: {
    sentence: 'the ledger cannot be read',
    hint: 'it is set aside beside the new one; keep it for inspection',
    exitStatus: 7,
  },
  LEDGER_BUSY: {
    sentence: 'another usherd writes this ledger',
    hint: 'usher status shows it; name another --state-dir to run two',
    exitStatus: 7,
  },
  KEY_UNUSABLE: {
    sentence: 'a key file cannot be used',
    hint: 'openssl genpkey -algorithm ed25519 makes a private key, openssl pkey -pubout its public one',
    exitStatus: 7,
  },
  HWDB_DAMAGED: {
    sentence: 'the hardware database cannot be made sense of',
    hint: 'systemd-hwdb update writes it anew',
    exitStatus: 5,
  },
  INDEX_FILE_DAMAGED: {
    sentence: 'an index of the package manager cannot be read',
    hint: 'apt-get update fetches it anew',
    exitStatus: 5,
  },
  RECORDING_DAMAGED: { sentence: 'a recording cannot be read', hint: 'usher record makes one', exitStatus: 8 },
  PLUGIN_TEST_DAMAGED: {
    sentence: 'what a plugin is expected to say cannot be read',
    hint: 'usher plugin test --update writes it',
    exitStatus: 8,
  },
  DAEMON_UNREACHABLE: { sentence: 'no daemon answers', hint: 'usher daemon starts one', exitStatus: 9 },
  DAEMON_RUNNING: {
    sentence: 'another usherd answers on this socket',
    hint: 'usher status shows it; name another run folder to run two',
    exitStatus: 9,
  },
  SOCKET_UNUSABLE: {
    sentence: 'the place of the socket cannot be used safely',
    hint: 'the message says what stands in the way',
    exitStatus: 9,
  },
  DAEMON_REFUSED: {
    sentence: 'the daemon refused the request',
    hint: 'the message says which role it needs',
    exitStatus: 9,
  },
  DECISIONS_DAMAGED: {
    sentence: 'the file of standing decisions cannot be taken whole',
    hint: 'mend the line the message names; usher policy show tells what counts meanwhile',
    exitStatus: 5,
  },
  LOCK_OUT: {
    sentence: 'the change would lock you out of this machine',
    hint: '--force does it all the same, and is recorded',
    exitStatus: 12,
  },
  DEVICE_CHANGED: {
    sentence: 'the device is not the one that was seen',
    hint: 'usher pending lists the questions that stand',
    exitStatus: 13,
  },
  NOT_FOUND: { sentence: 'nothing by that name', hint: 'usher devices lists what there is', exitStatus: 1 },
  NOT_PERMITTED: { sentence: 'this needs root', hint: 'run it with sudo, or add --observe', exitStatus: 10 },
  TIMED_OUT: {
    sentence: 'the wait is over and the work is not',
    hint: 'usher status shows what is in flight',
    exitStatus: 11,
  },
} as const satisfies Record<string, { sentence: string; hint: string; exitStatus: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** usherd cannot go on. `message` says what was found, what was wanted and where; `details` has the same as facts. */
export class UsherdError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UsherdError';
    this.code = code;
    this.details = details;
  }

  /** Each file of dist/ has its own copy of this class, and an error crosses from one to the other. */
  static override [Symbol.hasInstance](value: unknown): value is UsherdError {
    return value instanceof Error && value.name === 'UsherdError';
  }

  get exitStatus(): number {
    return ERRORS[this.code].exitStatus;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }
}
