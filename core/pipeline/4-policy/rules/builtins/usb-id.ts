import { encodeName, replaceUnsafe, replaceWhitespace } from '../safe-text.ts';
import type { RuleDevice } from '../rule-context.ts';
import { ancestorOf } from './ancestors.ts';

type Properties = (readonly [key: string, value: string])[];

/** Classes of USB interfaces that have a type of their own. Source: usb.org, defined class codes. */
const CLASS_TYPES: Readonly<Record<number, string>> = {
  1: 'audio',
  3: 'hid',
  5: 'physical',
  6: 'media',
  7: 'printer',
  8: 'storage',
  9: 'hub',
  14: 'video',
};

/** Subclasses of mass storage. */
const STORAGE_TYPES: Readonly<Record<number, string>> = { 1: 'rbc', 2: 'atapi', 3: 'tape', 4: 'floppy', 6: 'scsi' };

/** Peripheral device types of SCSI. */
const SCSI_TYPES: Readonly<Record<number, string>> = {
  0: 'disk',
  1: 'tape',
  4: 'optical',
  5: 'cd',
  7: 'optical',
  14: 'disk',
  15: 'optical',
};

/** What a device says of itself; a later source fills only what is still empty. */
interface Identity {
  vendor: string;
  vendorEncoded: string;
  model: string;
  modelEncoded: string;
  revision: string;
  type: string;
  instance: string;
}

/**
 * A device on USB, or the USB device itself → its vendor, model, serial and interfaces. A disk's own SCSI words beat those of the USB device.
 * Undefined when there is no USB device above. Source: systemd, usb_id.
 * @param hasBus whether ID_BUS is set already: then only the ID_USB_ names are given
 */
export function usbId(device: RuleDevice, hasBus: boolean): Properties | undefined {
  const isUsbDevice = device.uevent['DEVTYPE'] === 'usb_device';
  // udev's builtin knows nothing to say of an interface itself; that is where a driver is asked for, so ours does.
  const isInterface = device.uevent['DEVTYPE'] === 'usb_interface';
  const above = isInterface ? device : ancestorOf(device, 'usb', 'usb_interface');
  const usbInterface = isUsbDevice ? undefined : above;
  const usbDevice = isUsbDevice ? device : usbInterface && ancestorOf(usbInterface, 'usb', 'usb_device');
  const vendorId = usbDevice?.attribute('idVendor');
  const productId = usbDevice?.attribute('idProduct');
  if (usbDevice === undefined || vendorId === undefined || productId === undefined) return undefined;
  const identity = identityOf(device, usbInterface);
  fillFromUsb(identity, usbDevice, { vendorId, productId });
  const serial = serialOf(usbDevice);
  const { vendor, model, revision, type, instance } = identity;
  const whole = [
    `${vendor}_${model}`,
    ...(serial === '' ? [] : [`_${serial}`]),
    ...(instance === '' ? [] : [`-${instance}`]),
  ];
  const named: Properties = [
    ['MODEL', model],
    ['MODEL_ENC', identity.modelEncoded],
    ['MODEL_ID', productId],
    ['SERIAL', whole.join('')],
    ...(serial === '' ? [] : [['SERIAL_SHORT', serial] as const]),
    ['VENDOR', vendor],
    ['VENDOR_ENC', identity.vendorEncoded],
    ['VENDOR_ID', vendorId],
    ['REVISION', revision],
    ...(type === '' ? [] : [['TYPE', type] as const]),
    ...(instance === '' ? [] : [['INSTANCE', instance] as const]),
  ];
  const interfaces = packedInterfaces(usbDevice.bytes('descriptors'));
  const number = usbInterface?.attribute('bInterfaceNumber');
  const driver = usbInterface?.driver;
  const withPrefix = (prefix: string): Properties => named.map(([key, value]) => [`${prefix}${key}`, value] as const);
  return [
    ...(hasBus ? [] : [['ID_BUS', 'usb'] as const, ...withPrefix('ID_')]),
    ...withPrefix('ID_USB_'),
    ...(interfaces === '' ? [] : [['ID_USB_INTERFACES', interfaces] as const]),
    ...(number === undefined ? [] : [['ID_USB_INTERFACE_NUM', number] as const]),
    ...(driver === undefined ? [] : [['ID_USB_DRIVER', driver] as const]),
  ];
}

function identityOf(device: RuleDevice, usbInterface: RuleDevice | undefined): Identity {
  const identity: Identity = {
    vendor: '',
    vendorEncoded: '',
    model: '',
    modelEncoded: '',
    revision: '',
    type: '',
    instance: '',
  };
  const interfaceClass = usbInterface?.attribute('bInterfaceClass');
  if (usbInterface === undefined || interfaceClass === undefined) return identity;
  const classNumber = Number.parseInt(interfaceClass, 16);
  const subclass = Number.parseInt(usbInterface.attribute('bInterfaceSubClass') ?? '0', 10);
  identity.type = (classNumber === 8 ? STORAGE_TYPES[subclass] : CLASS_TYPES[classNumber]) ?? 'generic';
  if (classNumber !== 8 || (subclass !== 6 && subclass !== 2)) return identity;
  const scsi = ancestorOf(device, 'scsi', 'scsi_device');
  const numbers = scsi === undefined ? null : /^\d+:\d+:(\d+:\d+)$/.exec(scsi.sysname);
  if (scsi !== undefined && numbers !== null) fillFromScsi(identity, scsi, numbers[1] ?? '');
  return identity;
}

/** What the disk says, as far as it says anything: at the first word it does not have, the USB device's take over. */
function fillFromScsi(identity: Identity, scsi: RuleDevice, instance: string): void {
  const vendor = scsi.attribute('vendor');
  if (vendor === undefined) return;
  identity.vendor = safe(vendor);
  identity.vendorEncoded = encodeName(vendor);
  const model = scsi.attribute('model');
  if (model === undefined) return;
  identity.model = safe(model);
  identity.modelEncoded = encodeName(model);
  const type = scsi.attribute('type');
  if (type === undefined) return;
  identity.type = SCSI_TYPES[Number.parseInt(type, 10)] ?? 'generic';
  const revision = scsi.attribute('rev');
  if (revision === undefined) return;
  identity.revision = safe(revision);
  identity.instance = instance;
}

function fillFromUsb(
  identity: Identity,
  usbDevice: RuleDevice,
  { vendorId, productId }: { vendorId: string; productId: string },
): void {
  if (identity.vendor === '') {
    const vendor = usbDevice.attribute('manufacturer') ?? vendorId;
    identity.vendor = safe(vendor);
    identity.vendorEncoded = encodeName(vendor);
  }
  if (identity.model === '') {
    const model = usbDevice.attribute('product') ?? productId;
    identity.model = safe(model);
    identity.modelEncoded = encodeName(model);
  }
  if (identity.revision === '') identity.revision = safe(usbDevice.attribute('bcdDevice') ?? '');
}

/** A serial with characters that no serial may have is none. */
function serialOf(usbDevice: RuleDevice): string {
  const serial = usbDevice.attribute('serial') ?? '';
  return /^[\u0020-\u002b\u002d-\u007f]*$/.test(serial) ? safe(serial) : '';
}

function safe(text: string): string {
  return replaceUnsafe(replaceWhitespace(text));
}

/**
 * `:080650:030101:`: class, subclass and protocol of each interface, once each. The file is the device's descriptors one after the other:
 * u8 length | u8 type | …; type 4 is an interface of 9 bytes, with the three numbers at 5, 6 and 7. As with udev one that ends the file is
 * not seen.
 */
export function packedInterfaces(descriptors: Buffer | undefined): string {
  if (descriptors === undefined) return '';
  const seen = new Set<string>();
  for (let at = 0; at + 9 < descriptors.length;) {
    const length = descriptors[at] ?? 0;
    if (length < 3) break;
    if (descriptors[at + 1] === 4) seen.add(descriptors.toString('hex', at + 5, at + 8));
    at += length;
  }
  return seen.size === 0 ? '' : `:${[...seen].join(':')}:`;
}
