import type { Modalias } from '../vocabulary/modalias.ts';

/** What a driver, or a part of one, is looked for. */
export interface DriverWish {
  readonly modalias: Modalias;
  /** The device, when it is there. */
  readonly devpath?: string;
  /** The kernel it is for. */
  readonly release: string;
  /** Firmware files that are asked for and not there, as modules name them: `iwlwifi-7260-17.ucode`. */
  readonly firmware: readonly string[];
}
