import { UsherdError } from '../errors.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import { modalias, modaliasRefusal, type Modalias } from '../vocabulary/modalias.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { isPlausibleModuleName, moduleName, type ModuleName } from '../vocabulary/module-name.ts';
import { findDevpaths } from './device-lookup.ts';

/** What a person asks about. */
export type WhySubject =
  | { readonly kind: 'devices'; readonly devpaths: readonly Devpath[] }
  | { readonly kind: 'module'; readonly module: ModuleName }
  | { readonly kind: 'modalias'; readonly modalias: Modalias };

/** Bus, colon, and something: what the kernel's MODALIAS formatters write. Source: scripts/mod/file2alias.c. */
const MODALIAS_FORM = /^[a-z][a-z0-9_-]*:./;

/** No device is named like this, so that none has to be looked for. Source: scripts/mod/file2alias.c, the buses that are asked about. */
const SURE_MODALIAS =
  /^(?:acpi|cpu|dmi|hdaudio|hid|i2c|input|of|pci|platform|pnp|scsi|sdio|serio|spi|usb|virtio|wmi):./;

/**
 * A word → what it means: a device that is there, then a module the tree or the configuration knows, then a modalias, which need
 * not be of a device that is there.
 * @throws {UsherdError} NOT_FOUND with what was looked for
 */
export function whySubject(word: string, roots: SystemRoot, { tree, config }: ModuleWorld): WhySubject {
  const devpaths = SURE_MODALIAS.test(word) ? [] : findDevpaths(word, roots);
  if (devpaths.length > 0) return { kind: 'devices', devpaths };
  if (isPlausibleModuleName(word)) {
    const module = moduleName(word);
    const isKnown =
      tree.module(module) !== undefined ||
      tree.isBuiltin(module) ||
      config.directives.some(directive => 'module' in directive && directive.module === module) ||
      config.installCommand(module) !== undefined;
    if (isKnown) return { kind: 'module', module };
  }
  if (MODALIAS_FORM.test(word)) {
    const refusal = modaliasRefusal(word);
    if (refusal === undefined) return { kind: 'modalias', modalias: modalias(word) };
    throw new UsherdError('USAGE', `"${word.slice(0, 80)}" is not looked up as a modalias: ${refusal}`);
  }
  throw new UsherdError(
    'NOT_FOUND',
    `"${word}" is no device in ${roots.sys}, no module in ${tree.dir} nor in modprobe's configuration, and has not the form of a modalias (pci:v…)`,
    { wanted: word },
  );
}
