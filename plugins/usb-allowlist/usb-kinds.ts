import type { PluginDevice, UsbIdentity } from '../../core/plugin-api/index.ts';

/** HID, boot interface, keyboard. Source: Device Class Definition for HID 1.11, 4.2 and 4.3. */
const BOOT_KEYBOARD = '03:01:01';
const BOOT_KEYBOARD_MODALIAS = /^usb:.*ic03isc01ip01/i;
const HUB_CLASS = '09:';

/** The hub that a controller itself is: no device can be plugged in as `usb1`. */
export function isRootHub({ devpath }: Pick<PluginDevice, 'devpath'>): boolean {
  return /\/(?:usb\d+|\d+-0:1\.0)$/.test(devpath);
}

/** A hub and nothing besides: with any other interface it is more than that. */
export function isHub({ interfaces }: UsbIdentity): boolean {
  return interfaces.length > 0 && interfaces.every(kind => kind.startsWith(HUB_CLASS));
}

/** Whether it can type before anybody has asked it what it is. Other keyboards show only once their driver reads their reports. */
export function isKeyboard({ interfaces }: UsbIdentity): boolean {
  return interfaces.includes(BOOT_KEYBOARD);
}

/** Whether this is a keyboard that works now: a USB interface with its driver, or one at the keyboard controller. */
export function isKeyboardInUse({ subsystem, driver, modalias = '' }: PluginDevice): boolean {
  if (driver === undefined) return false;
  return subsystem === 'serio' ? driver === 'atkbd' : subsystem === 'usb' && BOOT_KEYBOARD_MODALIAS.test(modalias);
}
