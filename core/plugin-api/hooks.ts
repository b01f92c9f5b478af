import type { Filter } from './filter.ts';
import type { PluginDevice, PluginEvent } from './device.ts';
import type { PluginVerdict } from './verdict.ts';

/** Facts that cost something to find out and are therefore only given to a hook that wants them. `attr:NAME` is a sysfs attribute. */
export type Fact = 'traits' | 'usb' | `attr:${string}`;

/** What a module's file says of it. */
export interface ModuleTraits {
  readonly license: string;
  /** Empty when nobody signed it. */
  readonly signer: string;
  /** Letters of the kernel's taint that loading it would set. Source: Documentation/admin-guide/tainted-kernels.rst. */
  readonly taints: readonly string[];
}

/** Who wants the module. */
export type PluginAsker =
  | { readonly kind: 'device'; readonly device: PluginDevice; readonly event?: PluginEvent }
  /** The kernel's request_module. */
  | { readonly kind: 'kernel'; readonly alias: string }
  /** Somebody runs usher's modprobe. */
  | { readonly kind: 'administrator'; readonly name: string; readonly uid: number };

/** May this module load? Asked for the module a device wants, and for each that it brings along. */
export interface PluginQuestion {
  readonly module: string;
  readonly role: 'target' | 'dependency' | 'softdep';
  readonly asker: PluginAsker;
  /** The module that was asked for in the first place, and the pattern by which it was found. */
  readonly candidate: { readonly module: string; readonly pattern: string };
  /** There when the hook's `wants` has `traits` and the module has a file. */
  readonly traits?: ModuleTraits;
}

/** What one event of a device led to. */
export interface PluginHandled {
  readonly event: PluginEvent;
  readonly device: PluginDevice;
  readonly candidates: readonly string[];
  readonly decisions: readonly {
    readonly module: string;
    readonly verdict: 'deny' | 'hold' | 'replace' | 'allow' | 'abstain';
    readonly by?: string;
    readonly reason?: string;
  }[];
  readonly outcomes: readonly {
    readonly module: string;
    readonly kind: 'inserted' | 'already-loaded' | 'builtin' | 'ran' | 'refused' | 'failed' | 'skipped' | 'observed';
    /** Why it was refused, failed or was left out. */
    readonly why?: string;
  }[];
}

/** What a `report` hook is told. */
export type PluginReport =
  | ({ readonly kind: 'handled' } & PluginHandled)
  | { readonly kind: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly message: string };

/** A driver from elsewhere, for a device that no module here drives. */
export interface Proposal {
  /** One line: what it is. */
  readonly title: string;
  /** A sentence: why this one. */
  readonly reason: string;
  /** What an administrator would type to get it. */
  readonly command?: string;
}

interface HookBasis {
  readonly filter?: Filter;
  readonly wants?: readonly Fact[];
  /**
   * Longest a call may take, in milliseconds; by default 200 for `opine` and 5,000 for the others, at most 10,000 and 60,000, for
   * `nomatch` 600,000.
   */
  readonly deadlineMs?: number;
}

type MaybeLater<Value> = Value | Promise<Value>;

/** Sees every event that its filter lets through, and changes nothing. It is called beside the event's way: nothing waits for it. */
export interface ObserveHook extends HookBasis {
  readonly kind: 'observe';
  call(event: PluginEvent, signal: AbortSignal): MaybeLater<void>;
}

/** Gives a verdict on a module. It is in the event's way: the module loads only once everybody has answered. */
export interface OpineHook extends HookBasis {
  readonly kind: 'opine';
  /** What counts when the call fails, is late or answers nonsense. */
  readonly onError: 'deny' | 'abstain';
  call(question: PluginQuestion, signal: AbortSignal): MaybeLater<PluginVerdict | undefined>;
}

/**
 * Called for a device that asks for a driver which no module here is, and for one that no driver has taken some seconds after its modules were
 * there, for want of firmware for instance; it may know where one is to be had.
 */
export interface NomatchHook extends HookBasis {
  readonly kind: 'nomatch';
  call(event: PluginEvent, device: PluginDevice, signal: AbortSignal): MaybeLater<Proposal | undefined>;
}

/** Called once at least one module was inserted for a device. */
export interface AfterLoadHook extends HookBasis {
  readonly kind: 'afterLoad';
  call(handled: PluginHandled, signal: AbortSignal): MaybeLater<void>;
}

/** Told of everything that was decided, and of every notice: to pass it on. */
export interface ReportHook extends HookBasis {
  readonly kind: 'report';
  call(report: PluginReport, signal: AbortSignal): MaybeLater<void>;
}

export type Hook = ObserveHook | OpineHook | NomatchHook | AfterLoadHook | ReportHook;
export type HookKind = Hook['kind'];
