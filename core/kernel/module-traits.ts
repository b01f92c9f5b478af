import { ModuleFile } from '../kmod/ko/module-file.ts';
import { UNPACKERS } from './unpackers.ts';

/** Licences that do not taint. Source: include/linux/license.h, license_is_gpl_compatible. */
export const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** What a module's file says that a rule may ask for. */
export interface ModuleTraits {
  readonly license: string;
  /** Empty when nobody signed it. */
  readonly signer: string;
  /** Letters of the kernel's taint that it sets by being loaded. */
  readonly taints: readonly string[];
}

/**
 * Reads a module file. That it has no signature taints only a kernel that looks at them; it is said of every such module.
 * Source: Documentation/admin-guide/tainted-kernels.rst.
 * @throws {UsherdError} FILE_UNREADABLE, MODULE_FILE_TOO_LARGE, MODULE_FILE_DAMAGED, COMPRESSION_UNAVAILABLE
 */
export function readModuleTraits(file: string): ModuleTraits {
  using module = ModuleFile.open(file, UNPACKERS);
  const { strings, license = '' } = module.modinfo();
  const says = (key: string): boolean => strings.some(string => string.key === key && string.value === 'Y');
  const signature = module.signature();
  const taints = [
    ...(GPL_COMPATIBLE.has(license) ? [] : ['P']),
    ...(says('staging') ? ['C'] : []),
    ...(says('intree') ? [] : ['O']),
    ...(signature === undefined ? ['E'] : []),
    ...(says('livepatch') ? ['K'] : []),
    ...(says('test') ? ['N'] : []),
  ];
  return { license, signer: signature?.signer ?? '', taints };
}
