import type { Problem } from '../../vocabulary/place.ts';
import type { PrunedRange } from './pruned.ts';

/** Something the ledger owes a row that is no uevent: losses, refusals, limits, changes of what decides. */
export type Incident =
  /** The kernel dropped uevents because our socket's buffer was full (ENOBUFS). */
  | { readonly kind: 'overrun'; readonly bufferBytes?: number; readonly dropped?: number }
  /** A datagram was longer than the buffer it was read into. */
  | { readonly kind: 'truncated'; readonly bufferBytes?: number; readonly dropped?: number }
  /** /sys was walked and compared with the device table. */
  | {
      readonly kind: 'resync';
      readonly because: string;
      readonly added: number;
      readonly removed: number;
      readonly changed: number;
    }
  /** Datagrams that did not pass admission. */
  | {
      readonly kind: 'rejected';
      readonly reason: string;
      readonly count: number;
      readonly senderPid?: number;
      readonly senderUid?: number;
      readonly netlinkPort?: number;
    }
  /** Configuration, rules or indexes changed and were read again. */
  | { readonly kind: 'reload'; readonly files: readonly string[]; readonly uid?: number }
  /** Other settings count than before: all that are not at their default, and what changed, `KEY: BEFORE → NOW`. */
  | {
      readonly kind: 'settings-changed';
      /** SHA-256 of the settings' JSON. */
      readonly hash: string;
      readonly before?: string;
      readonly values: Readonly<Record<string, unknown>>;
      readonly changes: readonly string[];
    }
  | { readonly kind: 'config-problem'; readonly problem: Problem }
  /** A named bound was reached. */
  | { readonly kind: 'limit-reached'; readonly limit: string; readonly bound: number; readonly unit: string }
  /** The ledger's file could not be read and was set aside. */
  | { readonly kind: 'damaged-ledger'; readonly movedTo: string; readonly reason: string }
  /** Rows were dropped while the ledger could not be written. */
  | { readonly kind: 'rows-lost'; readonly count: number; readonly cause: string }
  /** A request over the socket was refused. */
  | { readonly kind: 'request-refused'; readonly verb: string; readonly uid: number; readonly reason: string }
  /** An administrator changed the standing decisions; written before the file, whose text then has this hash. */
  | {
      readonly kind: 'policy-changed';
      readonly change: string;
      readonly uid: number;
      readonly reason?: string;
      /** What would be cut off and was, because it was forced. */
      readonly forced?: readonly string[];
      readonly hash: string;
      /** What the file had before. */
      readonly before?: string;
      /** Each decision that counts from now on, in words. */
      readonly decisions?: readonly string[];
    }
  /** The change before could not be written to the file: it does not count. */
  | { readonly kind: 'policy-change-failed'; readonly change: string; readonly cause: string }
  /** The standing decisions were changed by other hands than usher's. */
  | {
      readonly kind: 'policy-edited';
      readonly file: string;
      readonly hash: string;
      readonly before?: string;
      readonly decisions?: readonly string[];
      /** `+DECISION` and `-DECISION`, against those that were last recorded. */
      readonly changes?: readonly string[];
    }
  /** Root loaded what policy denies, with a reason. */
  | {
      readonly kind: 'policy-overridden';
      readonly uid: number;
      readonly modules: readonly string[];
      readonly reason: string;
      readonly refusal: string;
    }
  /**
   * Somebody ran one of usher's own tools, and it acted on the kernel's modules: who, by the kernel's word, and what came of it. What there was
   * none of is absent.
   */
  | ({
      readonly kind: 'modules-by-hand';
      readonly uid: number;
      readonly pid: number;
      /** As whom they logged in, whoever they are now; absent where nobody did, or the kernel keeps no account of it (audit). */
      readonly loginUid?: number;
    } & ModulesByHand)
  /** Somebody else loaded or removed a module: insmod, modprobe, the kernel by itself. */
  | { readonly kind: 'module-loaded' | 'module-unloaded'; readonly module: string }
  /** The kernel's taint grew: its numbers, the letters that are new, and the modules that carry them, else the one loaded meanwhile. */
  | {
      readonly kind: 'taint-changed';
      readonly before: string;
      readonly after: string;
      readonly letters: string;
      readonly module: string;
    }
  /** Retention took rows; the chain goes on without them (pruned.ts). */
  | ({ readonly kind: 'pruned'; readonly uid?: number } & PrunedRange)
  /** Rules were read and count from now on. */
  | {
      readonly kind: 'rules-loaded';
      /** Of the whole set: SHA-256 over its files. */
      readonly hash: string;
      readonly before?: string;
      readonly files: number;
      readonly rules: number;
      /** `+FILE:LINE RULE` for one that is new, `-FILE:LINE RULE` for one that is gone. */
      readonly changes: readonly string[];
    }
  /** Rules were read, could not be used, and the ones before them count on. */
  | { readonly kind: 'rules-refused'; readonly hash: string; readonly problems: readonly string[] }
  /** How often rules matched since the last such row, by their places. */
  | { readonly kind: 'rule-hits'; readonly sinceMs: number; readonly hits: Readonly<Record<string, number>> }
  /** What a rule asked for did not go well. */
  | { readonly kind: 'rule-failed'; readonly devpath: string; readonly place: string; readonly message: string }
  /** A rule kept a device for one driver. */
  | {
      readonly kind: 'driver-override';
      readonly devpath: string;
      readonly driver: string;
      readonly place: string;
      readonly errno?: string;
    }
  /** A step of the installation or removal of a driver; the row is there before the step begins. `state` is a Transaction's. */
  | {
      readonly kind: 'driver-transaction';
      readonly transaction: string;
      readonly state: string;
      readonly step: string;
      readonly device: string;
      readonly candidate: string;
      readonly version: string;
      readonly origin: string;
      readonly licence: string;
      readonly uid: number;
      readonly consent: string;
      /** `NAME=VERSION` with its SHA-256 where the index has one, and files that usher put in place. */
      readonly packages: readonly string[];
      readonly modules?: readonly string[];
      readonly driver?: string;
      /** Letters the kernel's taint grew by. */
      readonly taint?: string;
      readonly trouble?: string;
    }
  /** A plugin counts from now on. `hash` is over its files; `before` is that of what it takes the place of. */
  | {
      readonly kind: 'plugin-loaded';
      readonly name: string;
      readonly version: string;
      readonly hash: string;
      readonly before?: string;
      /** `+FILE` is new, `-FILE` is gone, `~FILE` is another; none when only its settings are others. */
      readonly changes?: readonly string[];
    }
  | { readonly kind: 'plugin-unloaded'; readonly name: string; readonly reason: string }
  /** A plugin was found, and cannot or may not run. */
  | { readonly kind: 'plugin-refused'; readonly name: string; readonly reason: string }
  /** A plugin's call failed, was late or answered nonsense, or its process ended. */
  | { readonly kind: 'plugin-failed'; readonly name: string; readonly hook: string; readonly reason: string }
  /** A plugin failed too often and is not called any more. */
  | { readonly kind: 'plugin-quarantined'; readonly name: string; readonly reason: string }
  /** A plugin knows of a driver for a device that none here drives. */
  | {
      readonly kind: 'driver-proposed';
      readonly name: string;
      readonly devpath: string;
      readonly modalias: string;
      readonly title: string;
      readonly reason: string;
      readonly command?: string;
    }
  | { readonly kind: 'shutdown'; readonly reason: string };

/** A run of modprobe, insmod, rmmod or `usher param`, and what it did. */
export interface ModulesByHand {
  readonly tool: string;
  /** As they were typed, without the tool's name. */
  readonly words: readonly string[];
  readonly inserted?: readonly string[];
  readonly removed?: readonly string[];
  /** Modules whose install or remove command was run in place of that. */
  readonly ran?: readonly string[];
  /** Parameters of loaded modules. */
  readonly set?: readonly { readonly module: string; readonly parameter: string; readonly value: string }[];
  readonly failed?: readonly { readonly module: string; readonly reason: string }[];
}

export type IncidentKind = Incident['kind'];
