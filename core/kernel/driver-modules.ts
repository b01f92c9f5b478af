import { existsSync, readlinkSync } from 'node:fs';
import { moduleName, type ModuleName } from '../vocabulary/module-name.ts';
import { devpathsAbove, type Devpath } from '../vocabulary/devpath.ts';
import { listBusDevices, readDriver, readModalias, readSubsystem } from './sysfs.ts';
import type { SystemRoot } from './system-root.ts';

/** A device that has a driver, and the loadable module that driver is of. */
export interface BoundDevice {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly driver: string;
  readonly module: ModuleName;
  readonly modalias?: string;
}

/** Every device that would lose its driver with a module: those whose driver is part of the kernel are not among them. */
export function boundDevices(roots: Pick<SystemRoot, 'sys'>): readonly BoundDevice[] {
  const devpaths = listBusDevices(roots).toSorted();
  return devpaths.flatMap(devpath => {
    const module = driverModule(roots, devpath);
    const driver = readDriver(roots, devpath);
    const subsystem = readSubsystem(roots, devpath);
    if (module === undefined || driver === undefined || subsystem === undefined) return [];
    const modalias = readModalias(roots, devpath);
    return [{ devpath, subsystem, driver, module, ...(modalias === undefined ? {} : { modalias }) }];
  });
}

/** Something that works only as long as a module is there: a device by its driver, or a part of the kernel by name. */
export interface ModuleLink {
  readonly module: ModuleName;
  readonly modalias?: string;
}

/** A device and all it hangs from, upwards → the loadable modules that drive them. */
export function chainOf(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath): readonly ModuleLink[] {
  const links: ModuleLink[] = [];
  for (const at of [devpath, ...devpathsAbove(devpath)]) {
    const module = driverModule(roots, at);
    if (module === undefined) continue;
    const modalias = readModalias(roots, at);
    links.push({ module, ...(modalias === undefined ? {} : { modalias }) });
  }
  return links;
}

/** Whether a module is in the kernel by being loaded: what is built in has no initstate. Source: kernel/module/sysfs.c. */
export function isLoadable({ sys }: Pick<SystemRoot, 'sys'>, module: ModuleName): boolean {
  return existsSync(`${sys}/module/${module}/initstate`);
}

function driverModule(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath): ModuleName | undefined {
  try {
    const target = readlinkSync(`${roots.sys}${devpath}/driver/module`);
    const module = moduleName(target.slice(target.lastIndexOf('/') + 1));
    return isLoadable(roots, module) ? module : undefined;
  } catch {
    return undefined;
  }
}
