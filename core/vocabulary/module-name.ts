/**
 * Name of a kernel module as the kernel writes it: `-` is `_`, no directory, no suffix (`usb_storage`).
 * Source: kmod, modname_normalize; the kernel compares names the same way.
 */
export type ModuleName = string & { readonly __brand: 'ModuleName' };

/** Longest name the kernel takes: MODULE_NAME_LEN (64 - sizeof(long)) less the closing NUL. */
export const MODULE_NAME_MAX_BYTES = 55;

/** Any spelling of a module's name (`usb-storage`) → its ModuleName. */
export function moduleName(text: string): ModuleName {
  return (text.includes('-') ? text.replaceAll('-', '_') : text) as ModuleName;
}

/** A module's file (`kernel/drivers/usb/storage/usb-storage.ko.xz`) → its ModuleName: base name up to the first dot. */
export function moduleNameOfPath(path: string): ModuleName {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dot = base.indexOf('.');
  return moduleName(dot < 0 ? base : base.slice(0, dot));
}

/** Whether a text from outside may be used as a module's name at all: letters, digits, `_`, `-`, and no longer than the kernel takes. */
export function isPlausibleModuleName(text: string): boolean {
  return text.length <= MODULE_NAME_MAX_BYTES && /^[A-Za-z0-9_-]+$/.test(text);
}
