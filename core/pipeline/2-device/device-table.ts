import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Device } from './device.ts';
import { deviceFromEvent } from './read-device.ts';

/** Devices that are there, as far as the events told. After a loss it is compared with a walk of /sys. */
export class DeviceTable {
  readonly #devices = new Map<Devpath, Device>();

  get devices(): ReadonlyMap<Devpath, Device> {
    return this.#devices;
  }

  /** Takes one event into account. Buses, drivers and modules send uevents too, but are no devices. */
  apply(event: Uevent): void {
    if (!event.devpath.startsWith('/devices/')) return;
    switch (event.action) {
      case 'remove':
        this.#devices.delete(event.devpath);
        return;
      case 'unbind':
        this.#unbind(event.devpath);
        return;
      case 'move':
        this.#moveBelow(event);
        break;
      default:
    }
    // What an event carries is what the device's uevent file has at that moment, whole.
    this.#devices.set(event.devpath, deviceFromEvent(event));
  }

  /** An `unbind` comes without MODALIAS, so what was known stays, but for the driver. */
  #unbind(devpath: Devpath): void {
    const before = this.#devices.get(devpath);
    if (before === undefined) return;
    const { driver: _gone, ...rest } = before;
    this.#devices.set(devpath, rest);
  }

  /** A rename takes the devices below along: the kernel sends one `move` for the whole sub-tree. */
  #moveBelow(event: Uevent): void {
    const from = event.env['DEVPATH_OLD'];
    if (from === undefined) return;
    for (const [devpath, device] of this.#devices) {
      if (devpath !== from && !devpath.startsWith(`${from}/`)) continue;
      const moved = (event.devpath + devpath.slice(from.length)) as Devpath;
      this.#devices.delete(devpath);
      this.#devices.set(moved, { ...device, devpath: moved });
    }
  }
}
