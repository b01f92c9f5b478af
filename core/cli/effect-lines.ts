import type { PolicyEffect } from '../daemon/policy-effect.ts';

/** What a change would do, in lines for a person; the machine is not touched by it before something is plugged in or starts anew. */
export function effectLines({ devices, modules, named, isLoaded, lockOut }: PolicyEffect): readonly string[] {
  const bound = devices.map(({ devpath, driver, module }) => `    ${devpath}  ${driver} (${module})`);
  return [
    ...(named === 'builtin' ? ['  it is part of the kernel: nothing can keep it out'] : []),
    ...(named === 'unknown' ? ['  the module tree has nothing of this name now; the forbid holds when it comes'] : []),
    ...(isLoaded === true ? ['  it is loaded now, and stays so until it is removed'] : []),
    ...(devices.length === 0
      ? ['  no device has its driver by it now']
      : [
          `  ${devices.length === 1 ? 'a device has' : `${devices.length} devices have`} a driver by it, and will be without when next plugged in or started:`,
          ...bound,
        ]),
    ...(modules.length === 0 ? [] : [`  cannot be loaded any more, because they need it: ${modules.join(' ')}`]),
    ...lockOut.map(text => `  ${text}`),
  ];
}
