import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';

/** Strongest first: an opinion beats every one that stands after it. */
export const VERDICT_KINDS = ['deny', 'hold', 'replace', 'allow', 'abstain'] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

/** What one voice says of one module of a plan, and why. All opinions are kept, also the beaten ones. */
export interface Opinion {
  readonly verdict: VerdictKind;
  /** The module the opinion is about. */
  readonly module: ModuleName;
  /** Who says it: `modprobe.d`, `kernel command line`, a rule, a plugin, `administrator`. */
  readonly by: string;
  /** A sentence a person can read. */
  readonly reason: string;
  /** Where it stands written, when it does. */
  readonly place?: Place;
  /** With `replace`: the module to load in place. */
  readonly replacement?: ModuleName;
  /** Parameters the module is to be loaded with, whatever the verdict; of the target only. */
  readonly parameters?: string;
}

/** What became of one module: the winning opinion, and all that were heard, strongest first. */
export interface Decision {
  readonly module: ModuleName;
  readonly verdict: VerdictKind;
  /** Absent when nobody had an opinion: the module may load, because a device asked for it and nothing stands against. */
  readonly winner?: Opinion;
  readonly opinions: readonly Opinion[];
}
