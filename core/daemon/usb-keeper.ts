import type { SystemRoot } from '../kernel/system-root.ts';
import { parseUsbDescriptors, readUsbDescriptors } from '../kernel/usb-descriptors.ts';
import type { Action, Uevent } from '../pipeline/1-intake/uevent.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import type { PolicySettings } from '../pipeline/4-policy/policy-settings.ts';
import { differences, type SeenDevice } from '../pipeline/4-policy/seen-device.ts';
import { isShutOut, letIn, setUsbGate, type GateKind } from '../pipeline/6-load/usb-gate.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { errnoText } from '../vocabulary/errno.ts';
import type { Modalias } from '../vocabulary/modalias.ts';
import { formatProblem } from '../vocabulary/place.ts';

/** Keeps USB devices from their drivers until policy lets them in, while the daemon runs. */
export class UsbKeeper {
  readonly #roots: SystemRoot;
  readonly #reporter: Reporter;
  readonly #observes: boolean;
  #kind: GateKind | undefined;

  /** `observes`: it only looks, and the gate stays as it is. */
  constructor({ roots, reporter, observes }: { roots: SystemRoot; reporter: Reporter; observes: boolean }) {
    this.#roots = roots;
    this.#reporter = reporter;
    this.#observes = observes;
  }

  /** Shuts the gate as a setting says, or opens it. */
  set(wanted: PolicySettings['usbGate']): void {
    const kind = wanted === 'off' || this.#observes ? undefined : wanted;
    if (kind === this.#kind) return;
    if (this.#kind !== undefined) this.#tellControllers(this.#kind, false);
    if (kind !== undefined) this.#tellControllers(kind, true);
    this.#kind = kind;
  }

  /** A controller that comes later lets everything in until it is told. */
  noticed(action: Action, devpath: Devpath): void {
    if (action === 'add' && this.#kind !== undefined && /\/usb\d+$/.test(devpath))
      this.#tellControllers(this.#kind, true);
  }

  keepsWhole({ action, env }: Uevent): boolean {
    return action === 'add' && this.#kind === 'device' && env['DEVTYPE'] === 'usb_device';
  }

  /** What the interfaces of a device will be, by its descriptors. One that went away has none, and is let in no more. */
  wishesOf({ devpath }: Pick<Device, 'devpath'>): readonly Modalias[] {
    const folder = `${this.#roots.sys}${devpath}`;
    const bytes = readUsbDescriptors(folder) ?? Buffer.alloc(0);
    const { interfaces, problems } = parseUsbDescriptors(bytes, `${folder}/descriptors`);
    for (const problem of problems) this.#reporter.emit('notice', 'warning', formatProblem(problem));
    return interfaces;
  }

  isClosedFor(device: Device): boolean {
    return this.#kind !== undefined && isShutOut(this.#roots, device);
  }

  /** What was decided about one device must not let in another that took its place meanwhile: `seen` is what was judged. */
  async letIn(device: Device, seen: SeenDevice, now: SeenDevice | undefined): Promise<void> {
    const changed = differences(seen, now);
    const errno = changed.length > 0 ? undefined : await letIn(this.#roots, device);
    const why = errno === undefined ? changed.join(', ') : errnoText(errno);
    if (why !== '') this.#reporter.emit('notice', 'warning', `${device.devpath} was not let in: ${why}`);
  }

  #tellControllers(kind: GateKind, isClosed: boolean): void {
    for (const { controller, errno } of setUsbGate(this.#roots, kind, isClosed)) {
      if (errno === undefined) continue;
      const what = isClosed ? 'shut out what is new' : 'let in again what is new';
      this.#reporter.emit('notice', 'error', `${controller} does not ${what}: ${errnoText(errno)}`);
    }
  }
}
