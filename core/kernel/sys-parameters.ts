import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ModuleName } from '../vocabulary/module-name.ts';

/** A parameter the kernel shows of a module that is there. */
export interface LiveParameter {
  readonly name: string;
  /** Undefined when we may not read it. */
  readonly value: string | undefined;
  /** Whether it may be set while the module is loaded. */
  readonly isWritable: boolean;
}

/** /sys/module/NAME/parameters, by name; undefined when the module is not there. Source: Documentation/ABI/stable/sysfs-module. */
export function readLiveParameters(sysRoot: string, module: ModuleName): readonly LiveParameter[] | undefined {
  const folder = path.join(sysRoot, 'module', module);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return undefined;
  let names: string[];
  try {
    names = readdirSync(path.join(folder, 'parameters'));
  } catch {
    return [];
  }
  return names.map(name => {
    const file = parameterFile(sysRoot, module, name);
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    return { name, value: readValue(file), isWritable: (mode & 0o222) !== 0 };
  });
}

/** Where a parameter of a module stands. */
export function parameterFile(sysRoot: string, module: ModuleName, name: string): string {
  return path.join(sysRoot, 'module', module, 'parameters', name);
}

function readValue(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\n$/, '');
  } catch {
    return undefined;
  }
}
