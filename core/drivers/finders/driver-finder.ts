import type { Problem } from '../../vocabulary/place.ts';
import type { DriverCandidate, FinderName } from '../candidate.ts';
import type { DriverWish } from '../driver-wish.ts';

/** What a finder found, and what it could not read. */
export interface Findings {
  readonly candidates: readonly DriverCandidate[];
  readonly problems: readonly Problem[];
}

/** Told what is being read, for whoever waits. */
export type Progress = (text: string) => void;

/** Somebody who knows of drivers by the system's own data. It changes nothing and fetches nothing. */
export interface DriverFinder {
  readonly name: FinderName;
  find(wish: DriverWish, progress: Progress): Promise<Findings>;
}
