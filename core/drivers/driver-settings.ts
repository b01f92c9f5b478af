import { FINDER_NAMES, type FinderName } from './candidate.ts';

/** What the administrator says of fetching drivers. */
export interface DriverSettings {
  readonly finders: readonly FinderName[];
  /** Names of the only origins anything may come from; empty for every one the system trusts. */
  readonly origins: readonly string[];
  /** Names of origins whose drivers are installed without asking. */
  readonly installFrom: readonly string[];
}

export const DEFAULT_DRIVER_SETTINGS: DriverSettings = { finders: FINDER_NAMES, origins: [], installFrom: [] };
