import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Modalias } from '../../vocabulary/modalias.ts';

/** A device as sysfs describes it at one moment. */
export interface Device {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly modalias?: Modalias;
  /** The driver bound to it, by the `driver` link. */
  readonly driver?: string;
  /** DEVTYPE of its uevent file: `usb_interface`, `disk`. */
  readonly devtype?: string;
  /** DEVNAME, without /dev/. */
  readonly devname?: string;
}
