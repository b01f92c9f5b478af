import { matchingPattern, type Filter, type PluginDevice } from '../../core/plugin-api/index.ts';
import type { OverrideEntry } from './settings.ts';

/** The first entry whose keys all match the device. */
export function entryFor(
  entries: readonly OverrideEntry[],
  { devpath, modalias = '' }: Pick<PluginDevice, 'devpath' | 'modalias'>,
): OverrideEntry | undefined {
  const matches = (pattern: string | undefined, text: string): boolean =>
    pattern === undefined || matchingPattern([pattern], text) !== undefined;
  return entries.find(
    entry =>
      matches(entry.devpath, devpath) &&
      matches(entry.modalias, modalias) &&
      matches(entry.id === undefined ? undefined : pciPattern(entry.id), modalias) &&
      matches(entry.address, devpath.slice(devpath.lastIndexOf('/') + 1)),
  );
}

/** A filter that lets through every device some entry matches, and as few others as a filter can say. */
export function filterFor(entries: readonly OverrideEntry[]): Filter {
  const aliases = entries.map(({ modalias, id }) => modalias ?? (id === undefined ? undefined : pciPattern(id)));
  const paths = entries.map(({ devpath, address }) => devpath ?? (address === undefined ? undefined : `*/${address}`));
  const isWhole = (patterns: readonly (string | undefined)[]): patterns is readonly string[] =>
    patterns.every(pattern => pattern !== undefined);
  if (isWhole(aliases)) return { modalias: aliases };
  return isWhole(paths) ? { devpath: paths } : {};
}

/** The module a driver is in: most often it has the driver's name. */
export function moduleOf({ driver, module }: OverrideEntry): string {
  return (module ?? driver).replaceAll('-', '_');
}

/** `10de:1b80` → the modaliases of PCI devices of this vendor and device. Source: drivers/pci/pci-sysfs.c, modalias_show. */
function pciPattern(id: string): string {
  const [vendor = '', device = ''] = id.toUpperCase().split(':');
  return `pci:v0000${vendor}d0000${device}*`;
}
