import type { Delivery, LicenceClass } from '../candidate.ts';

/** What an installation does, one after another. Each is in the journal before it begins. */
export const TRANSACTION_STEPS = ['fetch', 'install', 'build', 'index', 'load', 'verify'] as const;
export type TransactionStep = (typeof TRANSACTION_STEPS)[number];

/** What each step does, for a person. */
export const STEP_TEXT: Readonly<Record<TransactionStep, string>> = {
  fetch: 'fetch what is to be installed',
  install: 'install it',
  build: 'build its modules',
  index: 'index the modules',
  load: 'load the driver',
  verify: 'see that it has taken the device',
};

/**
 * How far it got. `open`: being worked on, or interrupted; `bound`: the driver has the device; `installed`: it is in place below another
 * root, whose kernel does not run here; `failed`: it stopped at a step and what
 * was done is still there; `undone` and `removed`: all is as before.
 */
export type TransactionState = 'open' | 'bound' | 'installed' | 'failed' | 'undone' | 'removed';

/** One package that is put in place or replaced. */
export interface PackageChange {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  /** The version that was there; absent when the package is new. */
  readonly before?: string;
  readonly origin: string;
  readonly sha256?: string;
  readonly sizeBytes?: number;
  /** Its file, when it is in a repository of this machine: apt reads that in place and fetches nothing. */
  readonly localFile?: string;
}

/** A file that usher itself puts in place. */
export interface FileChange {
  /** Below the root. */
  readonly path: string;
  readonly sha256: string;
}

/** Who agreed, and how. */
export interface Consent {
  readonly uid: number;
  /** `answered`, `--yes`, or `policy: ORIGIN` for an origin that settings name. */
  readonly how: string;
  readonly at: string;
}

/** One installation of a driver for one device: the record of it, and the journal it is recovered by. Times are ISO 8601 in UTC. */
export interface Transaction {
  readonly id: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly device: string;
  readonly modalias: string;
  readonly release: string;
  readonly candidate: {
    readonly id: string;
    readonly finder: string;
    readonly kind: 'package' | 'file';
    readonly version: string;
    readonly origin: string;
    readonly suite: string;
    readonly licence: LicenceClass;
    readonly delivers: Delivery;
    /** Of a file of a catalogue. */
    readonly file?: {
      readonly url: string;
      readonly sha256: string;
      readonly sizeBytes: number;
      readonly fileName: string;
    };
  };
  readonly consent: Consent;
  readonly packages: readonly PackageChange[];
  readonly files: readonly FileChange[];
  readonly step: TransactionStep;
  readonly state: TransactionState;
  /** It is being taken back, and what its state will be then. */
  readonly undoing?: 'undone' | 'removed';
  /** Modules the kernel was given for it, in order. */
  readonly modules: readonly string[];
  /** The driver that had the device before. */
  readonly driverBefore?: string;
  readonly driver?: string;
  readonly taint?: { readonly before: string; readonly after: string; readonly letters: string };
  readonly trouble?: Trouble;
  /** Steps that were done by a run after the one that was cut off. */
  readonly recoveredAt?: string;
}

/** What went wrong at a step. */
export interface Trouble {
  readonly step: TransactionStep;
  readonly message: string;
  /** What a person can do about it. */
  readonly advice: readonly string[];
  /** A file with all a failed build said. */
  readonly log?: string;
}

/** What a step came to. */
export type StepAnswer =
  | { readonly kind: 'done'; readonly facts?: Partial<Transaction> }
  | { readonly kind: 'failed'; readonly message: string; readonly advice?: readonly string[]; readonly log?: string };
