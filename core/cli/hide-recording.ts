import { isUtf8 } from 'node:buffer';
import type { RecordingItem } from '../pipeline/1-intake/recording.ts';
import { encodeUdevMessage } from '../pipeline/1-intake/udev-message.ts';
import type { SerialHider } from '../pipeline/7-ledger/serial-hider.ts';
import type { Devpath } from '../vocabulary/devpath.ts';

/** Where udevd's message says that its properties begin; see udev-message.ts. */
const UDEV_PREFIX = 'libudev\0';
const UDEV_HEADER_BYTES = 40;

/** What is recorded → the same with keyed hashes in the place of serial numbers and hardware addresses. */
export function hideRecorded(item: RecordingItem, hider: SerialHider): RecordingItem {
  switch (item.kind) {
    case 'datagram':
      return { ...item, bytes: hideDatagram(item.bytes, hider) };
    case 'sysfs': {
      const { attrs, links, devpath } = item;
      // An attribute that is a serial number is known before the others are looked at.
      const own = hider.env(attrs);
      const hidden = Object.entries(own).map(([name, value]) => [
        name,
        name === 'uevent' ? hideLines(value, hider) : value,
      ]);
      return {
        ...item,
        devpath: hider.text(devpath) as Devpath,
        attrs: Object.fromEntries(hidden) as Record<string, string>,
        links: Object.fromEntries(Object.entries(links).map(([name, target]) => [name, hider.text(target)])),
      };
    }
    default:
      return item;
  }
}

/** One that is no UTF-8 is taken byte for byte, so that what is not hidden stays as it was. */
function hideDatagram(bytes: Buffer, hider: SerialHider): Buffer {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  if (bytes.toString('latin1', 0, UDEV_PREFIX.length) === UDEV_PREFIX) {
    const hidden = hideProperties(bytes.toString('utf8', UDEV_HEADER_BYTES).split('\0'), hider);
    return encodeUdevMessage(hidden);
  }
  const [header = '', ...properties] = bytes.toString(encoding).split('\0');
  const hidden = Object.entries(hideProperties(properties, hider)).map(([key, value]) => `${key}=${value}\0`);
  return Buffer.from(`${hider.text(header)}\0${hidden.join('')}`, encoding);
}

function hideLines(text: string, hider: SerialHider): string {
  return Object.entries(hideProperties(text.split('\n'), hider))
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

/** `KEY=VALUE` each; what is none is left out, as whoever reads them leaves it out. */
function hideProperties(properties: readonly string[], hider: SerialHider): Record<string, string> {
  const env = Object.create(null) as Record<string, string>;
  for (const property of properties) {
    const at = property.indexOf('=');
    if (at > 0) env[property.slice(0, at)] = property.slice(at + 1);
  }
  return hider.env(env);
}
