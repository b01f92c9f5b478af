import type { Place } from '../../../vocabulary/place.ts';

/** A command of RUN, its substitutions filled in. */
export interface RunEntry {
  readonly kind: 'program' | 'builtin';
  readonly command: string;
  readonly place: Place;
}

/** A text for a file below /sys or /proc/sys. */
export interface AttributeWrite {
  /** Absolute. */
  readonly file: string;
  readonly value: string;
  readonly place: Place;
}

/** Something a rule asked for that could not be done; the rest of the rule was. */
export interface RuleNote {
  readonly place: Place;
  readonly message: string;
}

/** What a rule says of the module in question. */
export interface RuleVerdict {
  readonly verdict: 'deny' | 'hold' | 'allow' | 'replace';
  readonly reason?: string;
  /** With `replace`. */
  readonly replacement?: string;
  readonly place: Place;
}

/** What all rules together say of a device: values only; nothing has been done yet. */
export interface RuleResult {
  /** All properties, the event's own too, in the order they came. Those beginning with a dot stay inside. */
  readonly properties: ReadonlyMap<string, string>;
  readonly tags: readonly string[];
  /** Names below /dev that lead to the node, in the order they were given. */
  readonly links: readonly string[];
  readonly linkPriority: number;
  /** A network interface's new name. */
  readonly name?: string;
  readonly owner?: number;
  readonly group?: number;
  readonly mode?: number;
  readonly seclabels: ReadonlyMap<string, string>;
  readonly attributes: readonly AttributeWrite[];
  readonly sysctls: readonly AttributeWrite[];
  readonly run: readonly RunEntry[];
  readonly watch?: boolean;
  readonly dbPersist: boolean;
  readonly logLevel?: string;
  readonly verdict?: RuleVerdict;
  /** OPTIONS{module}, with the lines they stand on. */
  readonly parameters: readonly { readonly text: string; readonly place: Place }[];
  readonly driverOverride?: { readonly driver: string; readonly place: Place };
  readonly notes: readonly RuleNote[];
}
