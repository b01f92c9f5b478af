import { readFileSync } from 'node:fs';
import { modalias, type Modalias } from '../vocabulary/modalias.ts';
import type { Problem } from '../vocabulary/place.ts';

/** What a USB device says it has, before any driver has seen it. */
export interface UsbDescriptors {
  /** The modalias each of its interfaces will have, in every setting of every configuration, each once. */
  readonly interfaces: readonly Modalias[];
  readonly problems: readonly Problem[];
}

/** Longest chain of descriptors read: a configuration says its length in 16 bits, and a device has some few. */
const DESCRIPTORS_MAX_BYTES = 4 * 65_536;

/** Bytes of the `descriptors` file in a USB device's folder; undefined when there is none, or more than a device has. */
export function readUsbDescriptors(folder: string): Buffer | undefined {
  try {
    const bytes = readFileSync(`${folder}/descriptors`);
    return bytes.length > DESCRIPTORS_MAX_BYTES ? undefined : bytes;
  } catch {
    return undefined;
  }
}

const DEVICE = 1;
const DEVICE_BYTES = 18;
const INTERFACE = 4;
const INTERFACE_BYTES = 9;
/** A configuration can have 256 interfaces with 256 settings; a device has some ten. */
const INTERFACES_MAX = 1024;

/**
 * Bytes of a device's `descriptors` file → the modaliases of its interfaces. What a length says is not believed beyond the bytes.
 *
 *     descriptor   length u8 | type u8 | …            one behind the other: the device's, then those of each configuration
 *     device       … | class@4 subclass@5 protocol@6 | vendor@8 product@10 release@12, u16 little-endian
 *     interface    … | number@2 setting@3 | class@5 subclass@6 protocol@7
 *
 * Source: USB 2.0 specification, 9.6; Documentation/ABI/testing/sysfs-bus-usb, descriptors; the kernel's usb modalias format.
 */
export function parseUsbDescriptors(bytes: Buffer, file: string): UsbDescriptors {
  const problems: Problem[] = [];
  const problem = (offsetBytes: number, message: string): void =>
    void problems.push({ place: { file, offsetBytes }, message });
  if (bytes.length < DEVICE_BYTES || bytes[1] !== DEVICE) {
    problem(0, `no device descriptor of ${DEVICE_BYTES} bytes at the beginning of ${bytes.length} bytes`);
    return { interfaces: [], problems };
  }
  const [vendor, product, release] = [8, 10, 12].map(at => hex(bytes.readUInt16LE(at), 4));
  const device = `v${vendor}p${product}d${release}dc${hexAt(bytes, 4)}dsc${hexAt(bytes, 5)}dp${hexAt(bytes, 6)}`;
  const interfaces = new Set<Modalias>();
  for (let at = DEVICE_BYTES; at < bytes.length;) {
    const length = bytes[at] ?? 0;
    if (length < 2 || at + length > bytes.length) {
      problem(at, `a descriptor says it has ${length} bytes, ${bytes.length - at} are left`);
      break;
    }
    if (bytes[at + 1] === INTERFACE && length >= INTERFACE_BYTES && interfaces.size < INTERFACES_MAX) {
      const kind = `ic${hexAt(bytes, at + 5)}isc${hexAt(bytes, at + 6)}ip${hexAt(bytes, at + 7)}in${hexAt(bytes, at + 2)}`;
      interfaces.add(modalias(`usb:${device}${kind}`));
    }
    at += length;
  }
  return { interfaces: [...interfaces], problems };
}

function hexAt(bytes: Buffer, at: number): string {
  return hex(bytes[at] ?? 0, 2);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
