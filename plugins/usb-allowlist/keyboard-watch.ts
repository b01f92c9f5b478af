import type { PluginContext, PluginDevice, UsbIdentity } from '../../core/plugin-api/index.ts';
import type { KnownDevice } from './known-device.ts';
import { isKeyboard, isKeyboardInUse } from './usb-kinds.ts';

/** So long a keyboard that was let in counts as one that is there, though its driver has not taken it yet; in milliseconds. */
const ADMITTED_MS = 10_000;

/** Knows which keyboards are there, and which have just been let in. */
export class KeyboardWatch {
  readonly #context: Pick<PluginContext<unknown>, 'devices'>;
  /** Ports of keyboards that were let in → when, in milliseconds since 1970. There are as many as ports. */
  readonly #admittedAtMs = new Map<string, number>();

  constructor(context: Pick<PluginContext<unknown>, 'devices'>) {
    this.#context = context;
  }

  /** A device was let in. */
  admitted(usb: UsbIdentity): void {
    if (isKeyboard(usb)) this.#admittedAtMs.set(usb.port, Date.now());
  }

  /**
   * Why a device is to wait as a keyboard, in words: another one is there already, and nobody said that this one may be plugged in beside
   * it; or its like is there, and fewer are known. `found` are the entries of the list that it meets.
   */
  async whySecond(device: PluginDevice, usb: UsbIdentity, found: readonly KnownDevice[]): Promise<string | undefined> {
    // One that works already is no newcomer: usherd was started after it.
    if (!isKeyboard(usb) || (device.devtype === 'usb_interface' && device.driver !== undefined)) return undefined;
    const others = [
      ...(await this.#context.devices({ subsystem: 'usb', wants: ['usb'] })),
      ...(await this.#context.devices({ subsystem: 'serio' })),
    ].filter(other => (isKeyboardInUse(other) || this.#isOnItsWay(other)) && other.usb?.port !== usb.port);
    const [first] = others;
    if (first === undefined) return undefined;
    const twins = new Set(
      others.filter(other => other.usb?.descriptorsSha256 === usb.descriptorsSha256).map(other => other.usb?.port),
    );
    // Each entry stands for one device: two keyboards of one make were learned as two.
    if (twins.size > 0 && twins.size >= found.length)
      return `it is a keyboard that shows itself just as the one at ${[...twins].join(' and ')} does`;
    if (found.some(({ beside }) => beside)) return undefined;
    const where = first.usb === undefined ? 'at the keyboard controller' : `at ${first.usb.port}`;
    return `it is a second keyboard, one ${where} is there already`;
  }

  /** Two that are plugged in at once are asked about at once: the one that was let in first counts. */
  #isOnItsWay({ usb, devtype }: PluginDevice): boolean {
    if (usb === undefined || devtype !== 'usb_device' || !isKeyboard(usb)) return false;
    return Date.now() - (this.#admittedAtMs.get(usb.port) ?? 0) < ADMITTED_MS;
  }
}
