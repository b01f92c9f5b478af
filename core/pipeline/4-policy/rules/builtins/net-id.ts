import type { RuleContext, RuleDevice } from '../rule-context.ts';
import { ancestorOf, topOf } from './ancestors.ts';

type Properties = (readonly [key: string, value: string])[];

/** Names follow this scheme of systemd.net-naming-scheme(7). */
const SCHEME = 'v252';

/** ARPHRD_ETHER, ARPHRD_SLIP, ARPHRD_INFINIBAND: the kinds of interfaces that get names. Source: include/uapi/linux/if_arp.h. */
const KINDS: Readonly<Record<string, string>> = { '1': 'en', '256': 'sl', '32': 'ib' };

/** An index beyond it is the firmware's error. */
const ONBOARD_INDEX_MAX = 16_383;

/**
 * A network interface → ID_NET_NAME_*: names from its address, its place on the board, its slot and its path. Interfaces on top of
 * others, and kinds without names, get none. Names of S/390, VIO, netdevsim and device trees are not given.
 * Source: systemd.net-naming-scheme(7).
 */
export function netId(device: RuleDevice, context: RuleContext): Properties {
  const prefix = prefixOf(device);
  const index = device.attribute('ifindex');
  if (prefix === undefined || index === undefined || device.attribute('iflink') !== index) return [];
  const names: Properties = [['ID_NET_NAMING_SCHEME', SCHEME], ...macNames(device, prefix, context)];
  const usb =
    device.parent?.uevent['DEVTYPE'] === 'usb_interface' ? device.parent : ancestorOf(device, 'usb', 'usb_interface');
  const above = usb === undefined ? device.parent && topOf(device.parent, 'virtio') : undefined;
  const direct = above?.subsystem === 'virtio' ? above.parent : above;
  const pci = usb === undefined ? (direct?.subsystem === 'pci' ? direct : undefined) : ancestorOf(usb, 'pci');
  if (usb !== undefined) return [...names, ...usbNames(usb, pci, prefix, device, context)];
  if (pci === undefined) return names;
  const suffix = portSuffix(device, pci);
  const [path, slot] = [pciPath(pci), pciSlot(pci, context)];
  return [
    ...names,
    ...onboardNames(device, pci, prefix),
    ...(path === undefined ? [] : [['ID_NET_NAME_PATH', `${prefix}${path}${suffix}`] as const]),
    ...(slot === undefined ? [] : [['ID_NET_NAME_SLOT', `${prefix}${slot}${suffix}`] as const]),
  ];
}

function prefixOf(device: RuleDevice): string | undefined {
  const kind = KINDS[device.attribute('type') ?? ''];
  if (kind !== 'en') return kind;
  const devtype = device.uevent['DEVTYPE'];
  return devtype === 'wlan' ? 'wl' : devtype === 'wwan' ? 'ww' : kind;
}

/** Only an address that the hardware came with names it. */
function macNames(device: RuleDevice, prefix: string, context: RuleContext): Properties {
  if (device.attribute('addr_assign_type') !== '0' || prefix === 'ib') return [];
  const address = device.attribute('address') ?? '';
  if (!/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) || address === '00:00:00:00:00:00') return [];
  const digits = address.replaceAll(':', '');
  const maker = context.hwdb()?.lookup(`OUI:${digits.toUpperCase()}`) ?? new Map<string, string>();
  return [['ID_NET_NAME_MAC', `${prefix}x${digits}`], ...maker];
}

function portSuffix(device: RuleDevice, pci: RuleDevice): string {
  const [, func = '0'] = /\.(\d+)$/.exec(pci.sysname) ?? [];
  return `${func !== '0' || hasFunctions(pci) ? `f${func}` : ''}${portName(device)}`;
}

/** Where a PCI device has its header type. Source: PCI Local Bus Specification. */
const HEADER_TYPE = 0x0e;

/** Whether there is more than one function in that place: the highest bit of the header type. No more is read, as each byte is asked of the device. */
function hasFunctions(pci: RuleDevice): boolean {
  return ((pci.bytes('config', HEADER_TYPE + 1)?.[HEADER_TYPE] ?? 0) & 0x80) !== 0;
}

function portName(device: RuleDevice): string {
  const name = device.attribute('phys_port_name');
  if (name !== undefined && name !== '') return `n${name}`;
  const port = Number.parseInt(device.attribute('dev_port') ?? '0', 10);
  return port > 0 ? `d${port}` : '';
}

function domainOf(sysname: string): string {
  const domain = Number.parseInt(sysname, 16);
  return domain > 0 ? `P${domain}` : '';
}

function pciPath({ sysname }: RuleDevice): string | undefined {
  const [, bus, slot] = /^[0-9a-f]+:([0-9a-f]+):([0-9a-f]+)\.\d+$/i.exec(sysname) ?? [];
  if (bus === undefined || slot === undefined) return undefined;
  return `${domainOf(sysname)}p${Number.parseInt(bus, 16)}s${Number.parseInt(slot, 16)}`;
}

/** The slot's number, by the folders of /sys/bus/pci/slots, of the device or of a bridge it is behind. */
function pciSlot(pci: RuleDevice, context: RuleContext): string | undefined {
  const folder = `${context.sysRoot}/bus/pci/slots`;
  const slots = context
    .list(folder)
    .filter(name => /^[1-9][0-9]*$/.test(name))
    .map(name => ({ name, address: context.readFile(`${folder}/${name}/address`)?.trim() ?? '' }));
  for (let at: RuleDevice | undefined = pci; at?.subsystem === 'pci'; at = at.parent) {
    const { sysname } = at;
    const slot = slots.find(({ address }) => address !== '' && sysname.startsWith(address));
    if (slot === undefined) continue;
    // A slot that belongs to a bridge may have several devices behind it; a number of the function tells them apart.
    const isBridge = at.uevent['PCI_CLASS']?.startsWith('604') === true;
    return isBridge && !hasFunctions(pci) ? undefined : `${domainOf(pci.sysname)}s${slot.name}`;
  }
  return undefined;
}

function onboardNames(device: RuleDevice, pci: RuleDevice, prefix: string): Properties {
  const index = Number.parseInt(pci.attribute('acpi_index') ?? pci.attribute('index') ?? '', 10);
  const label = pci.attribute('label');
  if (!(index > 0 && index <= ONBOARD_INDEX_MAX)) return [];
  return [
    ['ID_NET_NAME_ONBOARD', `${prefix}o${index}${portName(device)}`],
    ...(label === undefined ? [] : [['ID_NET_LABEL_ONBOARD', label] as const]),
  ];
}

/** `1-1.2:1.0` → `u1u2`: the ports, then configuration and interface where they are not the usual ones. */
function usbNames(
  usb: RuleDevice,
  pci: RuleDevice | undefined,
  prefix: string,
  device: RuleDevice,
  context: RuleContext,
): Properties {
  const [, ports, configuration, number] = /^\d+-([0-9.]+):(\d+)\.(\d+)$/.exec(usb.sysname) ?? [];
  if (ports === undefined) return [];
  const name = `u${ports.replaceAll('.', 'u')}${configuration === '1' ? '' : `c${configuration}`}${number === '0' ? '' : `i${number}`}`;
  if (pci === undefined) return [['ID_NET_NAME_PATH', `${prefix}${name}`]];
  const [path, slot] = [pciPath(pci), pciSlot(pci, context)];
  const suffix = portSuffix(device, pci);
  return [
    ...(path === undefined ? [] : [['ID_NET_NAME_PATH', `${prefix}${path}${suffix}${name}`] as const]),
    ...(slot === undefined ? [] : [['ID_NET_NAME_SLOT', `${prefix}${slot}${suffix}${name}`] as const]),
  ];
}
