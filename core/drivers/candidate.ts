import type { Place } from '../vocabulary/place.ts';
import type { Origin } from './origin.ts';

/** Who knows of drivers. */
export const FINDER_NAMES = ['module-tree', 'apt', 'appstream', 'firmware', 'rpm', 'catalogue'] as const;
export type FinderName = (typeof FINDER_NAMES)[number];

/** Why a candidate was found. */
export type DriverMatch =
  | { readonly kind: 'modalias'; readonly pattern: string; readonly place: Place; readonly module?: string }
  | { readonly kind: 'firmware'; readonly name: string; readonly place: Place };

/** What one gets: a module that is there already, a package, or a file of the catalogue. */
export type DriverSource =
  | { readonly kind: 'module'; readonly module: string; readonly license: string | undefined }
  | ({ readonly kind: 'package'; readonly manager: 'apt' | 'rpm' } & PackageFacts)
  | {
      readonly kind: 'file';
      readonly url: string;
      readonly sha256: string;
      readonly sizeBytes: number;
      readonly version: string;
      readonly license: string;
      /** Kernel release it was built for. */
      readonly release: string;
      readonly fileName: string;
    };

/** What an index says of a package. */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** `main`, `non-free`; empty where there are none. */
  readonly component: string;
  readonly installedVersion?: string;
  /** Kernel releases its modules were built for, as far as its name and dependencies tell. */
  readonly releases: readonly string[];
  /** Its modules are built on this machine, by DKMS. */
  readonly isDkms: boolean;
  readonly sha256?: string;
  readonly sizeBytes?: number;
  /** Where in its repository. */
  readonly path?: string;
  /** How a vendor rates the branch: PB, LTSB, NFB, Legacy. Source: ubuntu-drivers-common, header Support. */
  readonly support?: string;
  readonly description: string;
}

/** What it brings for the device. */
export type Delivery = 'module' | 'firmware' | 'program';
export type LicenceClass = 'free' | 'proprietary' | 'unknown';

/** Something that would, or might, drive a device. */
export interface DriverCandidate {
  /** What a person types to choose it: a package's, module's or entry's name. */
  readonly id: string;
  readonly finder: FinderName;
  readonly match: DriverMatch;
  readonly source: DriverSource;
  readonly origin: Origin;
  readonly delivers: Delivery;
  readonly licence: LicenceClass;
}
