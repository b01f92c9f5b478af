import type { ModuleTraits } from '../../../kernel/module-traits.ts';
import type { ModuleName } from '../../../vocabulary/module-name.ts';
import type { Hwdb } from './hwdb/hwdb.ts';

/**
 * What the kernel gives nobody while a driver is trying a device: `uevent` and `attribute` throw it until it has been read aside. Whoever asked
 * does so again once `take` was given the texts.
 */
export class HeldBack extends Error {
  readonly files: readonly string[];
  /** Takes what each of the files has, in their order. */
  readonly take: (texts: readonly (string | undefined)[]) => void;

  constructor(files: HeldBack['files'], take: HeldBack['take']) {
    super(`${files[0]} and others were not read aside first`);
    this.files = files;
    this.take = take;
  }
}

/** A device as rules look at it: lazily, and each thing at most once an event. */
export interface RuleDevice {
  readonly devpath: string;
  /** The last part of its path. */
  readonly sysname: string;
  /** Its folder, absolute. */
  readonly folder: string;
  readonly subsystem: string | undefined;
  readonly driver: string | undefined;
  /** What its uevent file says. @throws {HeldBack} */
  readonly uevent: Readonly<Record<string, string>>;
  /** The nearest device above. */
  readonly parent: RuleDevice | undefined;
  /**
   * Text of an attribute without line breaks at its end; the last part of what `driver`, `subsystem` and `module` point to.
   * @throws {HeldBack}
   */
  attribute(name: string): string | undefined;
  /** Bytes of an attribute, for those that are not text; the first ones, where more are not wanted. */
  bytes(name: string, maxBytes?: number): Buffer | undefined;
  /** Names in its folder, or in one below or above it. */
  list(folder: string): readonly string[];
}

/** What an earlier event left of a device. */
export interface StoredDevice {
  readonly properties: ReadonlyMap<string, string>;
  /** All tags it ever had. */
  readonly tags: readonly string[];
  /** Below /dev. */
  readonly links: readonly string[];
}

/** What rules may look at beside the device. Nothing in it changes anything. */
export interface RuleContext {
  /** `$root`, `$sys`. */
  readonly devRoot: string;
  readonly sysRoot: string;
  /** `[subsystem/name]` → that device. */
  device(subsystem: string, sysname: string): RuleDevice | undefined;
  stored(device: RuleDevice): StoredDevice | undefined;
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
  readFile(path: string): string | undefined;
  /** st_mode, or undefined when there is no such file. */
  fileMode(path: string): number | undefined;
  /** Names in a folder. */
  list(folder: string): readonly string[];
  sysctl(name: string): string | undefined;
  /** A word of the kernel command line: its value, `1` without one, undefined when it is not there. */
  bootParameter(name: string): string | undefined;
  /** CONST{arch}, CONST{virt}. */
  constant(name: string): string | undefined;
  hwdb(): Hwdb | undefined;
}

/** The module a question is about. */
export interface ModuleSubject {
  readonly module: ModuleName;
  readonly role: 'target' | 'dependency' | 'softdep';
  /** Undefined when there is no file to look at. */
  readonly facts: () => ModuleTraits | undefined;
}

/** What a rule set is applied to: an event of a device, or a question about a module, or both. */
export interface RuleSubject {
  /** Empty when nothing happened and somebody only asks. */
  readonly action: string;
  /** Absent when the kernel or an administrator asks for a module and no device does. */
  readonly device?: RuleDevice;
  /** Properties the event came with, DEVNAME with its /dev/. */
  readonly properties: ReadonlyMap<string, string>;
  readonly modalias: string;
  readonly origin: string;
  readonly module?: ModuleSubject;
}

/** A program a rule wants to be run before it can go on. */
export interface ProgramRequest {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended: what it printed when it ended with 0, else undefined. */
export type ProgramAnswer = string | undefined;
export type RunProgram = (request: ProgramRequest) => Promise<ProgramAnswer>;
