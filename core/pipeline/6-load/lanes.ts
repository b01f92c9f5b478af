import { parentDevpath } from '../../vocabulary/devpath.ts';
import type { Device } from '../2-device/device.ts';

/**
 * Work with the same key runs one after another, in the order given; everything else side by side. Sibling interfaces of one USB
 * device share a key: loading cdc_subset for the second while cdc_ether loads for the first lets the wrong driver win.
 */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
    if (key === undefined) return work();
    const before = this.#last.get(key);
    const result = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, result);
    const clear = (): void => {
      if (this.#last.get(key) === result) this.#last.delete(key);
    };
    result.then(clear, clear);
    return result;
  }
}

/** The lane of a device: interfaces of one USB device share theirs, everything else loads freely. */
export function laneOf(device: Device): string | undefined {
  return device.devtype === 'usb_interface' ? parentDevpath(device.devpath) : undefined;
}
