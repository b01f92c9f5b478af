import type { RuleDevice } from '../rule-context.ts';

/** The nearest device above with this subsystem and devtype. */
export function ancestorOf(device: RuleDevice, subsystem: string, devtype?: string): RuleDevice | undefined {
  for (let above = device.parent; above !== undefined; above = above.parent) {
    if (above.subsystem === subsystem && (devtype === undefined || above.uevent['DEVTYPE'] === devtype)) return above;
  }
  return undefined;
}

/** The topmost of the devices of this subsystem that stand directly above one another, beginning with this one. */
export function topOf(device: RuleDevice, subsystem: string): RuleDevice {
  let top = device;
  while (top.parent?.subsystem === subsystem) top = top.parent;
  return top;
}
