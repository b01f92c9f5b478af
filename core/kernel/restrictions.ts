import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What the running kernel has been told about modules; each explains some refusal. */
export interface ModuleRestrictions {
  /** Lockdown LSM: under `integrity` and `confidentiality` only signed modules load. Source: kernel_lockdown(7). */
  readonly lockdown: 'none' | 'integrity' | 'confidentiality' | 'unavailable';
  /** module.sig_enforce: unsigned modules are refused with EKEYREJECTED. */
  readonly enforcesSignatures: boolean;
  /** kernel.modules_disabled: nothing loads or unloads until reboot. */
  readonly modulesDisabled: boolean;
  /** Built without CONFIG_MODULES, or booted with `nomodule`: there is no /proc/modules. */
  readonly hasModules: boolean;
}

/** A kernel without modules has nothing to restrict. */
export const NO_MODULES: ModuleRestrictions = {
  lockdown: 'unavailable',
  enforcesSignatures: false,
  modulesDisabled: false,
  hasModules: false,
};

export function readModuleRestrictions({ sys, proc }: { sys: string; proc: string }): ModuleRestrictions {
  const lockdown = /\[(none|integrity|confidentiality)\]/.exec(
    readText(path.join(sys, 'kernel/security/lockdown')) ?? '',
  );
  return {
    lockdown: (lockdown?.[1] as 'none' | 'integrity' | 'confidentiality' | undefined) ?? 'unavailable',
    enforcesSignatures: readText(path.join(sys, 'module/module/parameters/sig_enforce'))?.trim() === 'Y',
    modulesDisabled: readText(path.join(proc, 'sys/kernel/modules_disabled'))?.trim() === '1',
    hasModules: readText(path.join(proc, 'modules')) !== undefined,
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
