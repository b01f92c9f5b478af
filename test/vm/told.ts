/** What the guest's `usher … --json` prints, as far as these tests look at it. */
export interface Entry {
  readonly id: number;
  readonly runId: number;
  readonly state: string;
  readonly result?: string;
  readonly event: {
    readonly action: string;
    readonly devpath: string;
    readonly subsystem: string;
    readonly seqnum?: string;
    readonly env: Readonly<Record<string, string>>;
    readonly origin: { readonly kind: string };
    readonly receivedAtMs: number;
  };
  readonly deliberation?: Deliberation;
  readonly outcomes: readonly Told[];
  readonly binds: readonly { readonly devpath: string; readonly driver: string; readonly atMs: number }[];
}

interface Deliberation {
  readonly candidates: readonly { readonly module: string }[];
  readonly decisions: readonly {
    readonly module: string;
    readonly verdict: string;
    readonly winner?: { readonly reason: string };
  }[];
  readonly plans: readonly { readonly target: string; readonly steps: readonly Step[] }[];
}

interface Step {
  readonly kind: string;
  readonly module: string;
  readonly role: string;
  readonly path?: string;
  readonly parameters?: string;
}

/** One outcome, with the fields of all kinds. */
export interface Told {
  readonly kind: string;
  readonly module: string;
  readonly errno?: string;
  readonly meaning?: string;
  readonly reason?: string;
  readonly command?: string;
  readonly tookMs?: number;
}

export interface Explanation extends Deliberation {
  readonly device: { readonly devpath: string; readonly driver?: string };
  readonly outcomes: readonly Told[];
  readonly state: string;
  readonly result?: string;
}

export interface Incident {
  readonly runId?: number;
  readonly incident: {
    readonly kind: string;
    readonly because?: string;
    readonly added?: number;
    readonly files?: readonly string[];
    readonly step?: string;
    readonly state?: string;
  };
}

/** A line of /proc/modules. Source: proc(5). */
export interface LoadedModule {
  /** `Live`, `Loading`, `Unloading`. */
  readonly state: string;
  /** Letters of the taints it brought: `OE` is out of tree and unsigned. */
  readonly taint: string;
  readonly usedBy: readonly string[];
}

/** A device that has a driver. */
export interface BoundDevice {
  readonly devpath: string;
  readonly driver: string;
}

/** Modules that this entry inserted, in the order of the plan. */
export function insertedBy(entry: Pick<Entry, 'outcomes'> | undefined): readonly string[] {
  return (entry?.outcomes ?? []).filter(({ kind }) => kind === 'inserted').map(({ module }) => module);
}

/** Names, each once, in one order, so that two lots of them can be compared. */
export function sorted(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
}
