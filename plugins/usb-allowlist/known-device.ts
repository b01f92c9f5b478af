import { matchingPattern, type UsbIdentity } from '../../core/plugin-api/index.ts';
import type { KnownSetting } from './settings.ts';

/** What a device must show of itself to be taken for a known one. What is absent is not compared. */
export interface KnownDevice {
  /** For people. */
  readonly name: string;
  readonly vendor: string;
  readonly product: string;
  /** Patterns; each interface of the device must match one. */
  readonly interfaces: readonly string[];
  /** The first digits, or all, of the SHA-256 of its descriptors. */
  readonly descriptors?: string;
  readonly serial?: string;
  /** Patterns of ports it may be in. */
  readonly ports?: readonly string[];
  /** Whether it may be plugged in, as a keyboard, while another one is there. */
  readonly beside: boolean;
}

export function fromSetting({ name, port, descriptors, serial, ...rest }: KnownSetting): KnownDevice {
  return {
    ...rest,
    name: name ?? `${rest.vendor}:${rest.product}`,
    ...(descriptors === undefined ? {} : { descriptors }),
    ...(serial === undefined ? {} : { serial }),
    ...(port === undefined ? {} : { ports: port }),
  };
}

/** In what a device differs from a known one of the same vendor and product; undefined when it claims to be another product altogether. */
export function differences(known: KnownDevice, usb: UsbIdentity): readonly string[] | undefined {
  if (known.vendor !== usb.vendor || known.product !== usb.product) return undefined;
  const foreign = usb.interfaces.filter(kind => matchingPattern(known.interfaces, kind) === undefined);
  const { descriptors, serial, ports } = known;
  return [
    ...(foreign.length === 0 ? [] : [`has interfaces ${foreign.join(', ')} that it has not`]),
    ...(descriptors === undefined || usb.descriptorsSha256.startsWith(descriptors) ? [] : ['has other descriptors']),
    ...(serial === undefined || serial === usb.serial ? [] : ['has another serial number']),
    ...(ports === undefined || matchingPattern(ports, usb.port) !== undefined ? [] : ['is in another port']),
  ];
}

/** The parts of a device's names that are shown; the rest of a longer one says no more. */
const NAME_MAX_CHARACTERS = 64;

/** `Kingston DataTraveler 3.0 (0951:1666, interfaces 08:06:50, descriptors 9f…) at 1-2`: all that the list goes by. */
export function describeUsb({ vendor, product, interfaces, descriptorsSha256, port, ...names }: UsbIdentity): string {
  const name = nameOf(names);
  const facts = `${vendor}:${product}, interfaces ${interfaces.join(' ')}, descriptors ${descriptorsSha256.slice(0, 32)}`;
  return `${name === '' ? 'the device' : name} (${facts}) at ${port}`;
}

/** What a device calls itself. It may call itself anything, so nothing but letters, digits and signs that print is shown. */
export function nameOf({
  manufacturer = '',
  productName = '',
}: Pick<UsbIdentity, 'manufacturer' | 'productName'>): string {
  const name = `${manufacturer} ${productName}`.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?').trim();
  return name.slice(0, NAME_MAX_CHARACTERS);
}
