import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import type { Outcome } from '../../pipeline/6-load/outcome.ts';
import type { Incident } from '../../pipeline/7-ledger/incident.ts';
import type { Mind } from '../../pipeline/pipeline.ts';
import type { DriverSettings } from '../driver-settings.ts';

/** What an installation needs of whoever carries it out. */
export interface InstallHands {
  readonly roots: SystemRoot;
  readonly uid: number;
  readonly settings: DriverSettings;
  /** Words that start this very program again, for what is done by another user. */
  readonly self: readonly string[];
  /** The module tree and modprobe's configuration as they are now. */
  readonly openWorld: (release: string) => ModuleWorld;
  /** The same with everybody who has an opinion. */
  readonly openMind: (release: string) => Promise<Mind & AsyncDisposable>;
  /** Writes a row of the ledger: by the daemon when it runs, else here. */
  readonly record: (incident: Incident) => Promise<void>;
  /**
   * Has the daemon read its module tree again, and deal with a device anew unless that is empty → what became of its modules; undefined
   * when no daemon runs that loads.
   */
  readonly daemonReprobes: (devpath: string) => Promise<readonly Outcome[] | undefined>;
  /** What goes on, for a person. */
  readonly tell: (text: string) => void;
}
