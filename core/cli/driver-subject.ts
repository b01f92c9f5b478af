import { UsherdError } from '../errors.ts';
import type { DriverWish } from '../drivers/driver-wish.ts';
import { missingFirmware } from '../drivers/missing-firmware.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import { walkSysfs } from '../kernel/sysfs.ts';
import { modalias, modaliasRefusal } from '../vocabulary/modalias.ts';
import { findDevices } from './device-lookup.ts';
import type { Caller } from './verb.ts';

/** Bus, colon, and something: what the kernel's MODALIAS formatters write. Source: scripts/mod/file2alias.c. */
const MODALIAS_FORM = /^[a-z][a-z0-9_-]*:./;

/** What drivers are looked for when no device is named: every one that has none and asks for one. */
export function unboundWishes({ roots }: Caller, world: ModuleWorld, release: string): readonly DriverWish[] {
  return walkSysfs(roots).flatMap(({ devpath, driver, modalias: alias }) =>
    driver !== undefined || alias === undefined
      ? []
      : [
          {
            modalias: alias,
            devpath,
            release,
            firmware: missingFirmware({ modalias: alias, devpath }, world, roots, release),
          },
        ],
  );
}

/**
 * A person's word for a device, or a modalias → what a driver is looked for. A device that is there comes first.
 * @throws {UsherdError} NOT_FOUND, USAGE
 */
export function driverWishes(word: string, caller: Caller, world: ModuleWorld, release: string): readonly DriverWish[] {
  const { roots } = caller;
  const found = findDevices(word, roots);
  const wishes = found.flatMap(device =>
    device.modalias === undefined ? [] : [{ modalias: device.modalias, devpath: device.devpath }],
  );
  if (found.length > 0 && wishes.length === 0)
    throw new UsherdError('NOT_FOUND', `${word} is a device without a modalias: no driver claims such a one`, { word });
  if (found.length === 0 && !MODALIAS_FORM.test(word))
    throw new UsherdError(
      'NOT_FOUND',
      `"${word}" is no device in ${roots.sys}, and has not the form of a modalias (pci:v…)`,
    );
  const refusal = found.length === 0 ? modaliasRefusal(word) : undefined;
  if (refusal !== undefined) throw new UsherdError('USAGE', `"${word.slice(0, 80)}" is no modalias: ${refusal}`);
  return (found.length > 0 ? wishes : [{ modalias: modalias(word) }]).map(wish => ({
    ...wish,
    release,
    firmware: missingFirmware(wish, world, roots, release),
  }));
}
