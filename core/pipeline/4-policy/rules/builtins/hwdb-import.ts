import { globMatches } from '../../../../kmod/lookup/glob.ts';
import type { Evaluation } from '../evaluation.ts';
import type { RuleDevice } from '../rule-context.ts';

/**
 * `hwdb [--subsystem=S] [--lookup-prefix=P] [--filter=F] [--device=ID] [MODALIAS]` → the properties found: of the modalias named, or of the
 * nearest device upwards that has one with an entry. Undefined when nothing was found. Source: systemd, udev-builtin-hwdb.c's options.
 */
export function hwdbImport(
  words: readonly string[],
  { device, context }: Pick<Evaluation, 'device' | 'context'>,
): readonly (readonly [key: string, value: string])[] | undefined {
  const hwdb = context.hwdb();
  const options = readOptions(words);
  if (hwdb === undefined || options === undefined) return undefined;
  const { subsystem, prefix = '', filter, modalias } = options;
  const look = (text: string): (readonly [string, string])[] =>
    [...hwdb.lookup(prefix + text)].filter(([key]) => filter === undefined || globMatches(filter, key));
  const found = modalias === undefined ? search(device, subsystem, look) : look(modalias);
  return found.length === 0 ? undefined : found;
}

interface HwdbOptions {
  readonly subsystem?: string;
  readonly prefix?: string;
  readonly filter?: string;
  readonly modalias?: string;
}

const NAMES: Readonly<Record<string, 'subsystem' | 'prefix' | 'filter' | undefined>> = {
  '--subsystem': 'subsystem',
  '-s': 'subsystem',
  '--lookup-prefix': 'prefix',
  '-p': 'prefix',
  '--filter': 'filter',
  '-f': 'filter',
};

function readOptions(words: readonly string[]): HwdbOptions | undefined {
  const options: { subsystem?: string; prefix?: string; filter?: string; modalias?: string } = {};
  for (let at = 0; at < words.length; at++) {
    const [name = '', value] = (words[at] ?? '').split(/=(.*)/s, 2);
    const option = NAMES[name];
    if (option !== undefined) options[option] = value ?? words[++at] ?? '';
    else if (name.startsWith('--')) return undefined;
    else options.modalias ??= words[at] ?? '';
  }
  return options;
}

function search(
  device: RuleDevice,
  subsystem: string | undefined,
  look: (text: string) => (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  for (let at: RuleDevice | undefined = device; at !== undefined; at = at.parent) {
    if (at.subsystem === undefined || (subsystem !== undefined && at.subsystem !== subsystem)) continue;
    const isUsbDevice = at.subsystem === 'usb' && at.uevent['DEVTYPE'] === 'usb_device';
    const modalias = at.uevent['MODALIAS'] ?? (isUsbDevice ? usbModalias(at) : undefined);
    const found = modalias === undefined ? [] : look(modalias);
    // Above a USB device there is only the hub it is plugged into.
    if (found.length > 0 || isUsbDevice) return found;
  }
  return [];
}

/** A USB device has no MODALIAS, its interfaces have. */
function usbModalias(device: RuleDevice): string | undefined {
  const [vendor, product] = ['idVendor', 'idProduct'].map(name =>
    device.attribute(name)?.toUpperCase().padStart(4, '0'),
  );
  if (vendor === undefined || product === undefined) return undefined;
  return `usb:v${vendor}p${product}:${device.attribute('product') ?? ''}`;
}
