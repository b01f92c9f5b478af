import type { RuleContext, RuleDevice } from '../rule-context.ts';
import { ancestorOf, topOf } from './ancestors.ts';
import { scsiTransport } from './scsi-transport.ts';

type Properties = readonly (readonly [key: string, value: string])[];

/** Where a walk upwards has come, and what it has gathered. */
interface Walk {
  readonly path: string[];
  /** ID_PATH_ATA_COMPAT: the path without the target, as it once was. */
  compat: string[] | undefined;
  hasParent: boolean;
  hasTransport: boolean;
}

/** Subsystems whose devices are named by bus and sysname, and what a device on them may count on. */
const PLAIN: Readonly<Record<string, { readonly parent: boolean; readonly transport: boolean }>> = {
  pci: { parent: true, transport: false },
  platform: { parent: true, transport: true },
  amba: { parent: true, transport: true },
  acpi: { parent: true, transport: false },
  xen: { parent: true, transport: false },
  scm: { parent: true, transport: true },
  ccw: { parent: true, transport: true },
  ccwgroup: { parent: true, transport: true },
  ap: { parent: true, transport: true },
  iucv: { parent: true, transport: true },
};

/**
 * A device → ID_PATH and ID_PATH_TAG: where it is plugged in, as one name made of the buses above it. Undefined for a device whose place has
 * no name that stays: one below no known bus, a disk on no known transport.
 * Source: systemd, path_id; udev(7) has nothing of it.
 */
export function pathId(device: RuleDevice, context: RuleContext): Properties | undefined {
  const walk: Walk = { path: [], compat: undefined, hasParent: false, hasTransport: false };
  for (let at: RuleDevice | undefined = device; at !== undefined; at = at.parent) {
    const next = step(at, device, walk, context);
    if (next === undefined) return undefined;
    at = next;
  }
  const { path, compat, hasParent, hasTransport } = walk;
  if (path.length === 0 || !hasParent || (device.subsystem === 'block' && !hasTransport)) return undefined;
  const name = path.join('-');
  const tag = name.replaceAll(/[^0-9A-Za-z-]+/g, '_').replaceAll(/^_|_$/g, '');
  return [
    ['ID_PATH', name],
    ...(tag === '' ? [] : [['ID_PATH_TAG', tag] as const]),
    ...(compat === undefined ? [] : [['ID_PATH_ATA_COMPAT', compat.join('-')] as const]),
  ];
}

/** One device of the way up → the last one that needs no look of its own, or undefined when the place cannot be named. */
function step(at: RuleDevice, device: RuleDevice, walk: Walk, context: RuleContext): RuleDevice | undefined {
  const { subsystem = '', sysname } = at;
  const plain = PLAIN[subsystem];
  if (plain !== undefined) {
    prepend(walk, `${subsystem}-${sysname}`);
    walk.hasParent ||= plain.parent;
    walk.hasTransport ||= plain.transport;
    return topOf(at, subsystem);
  }
  switch (subsystem) {
    case 'scsi_tape':
      tapeStep(sysname, walk);
      return at;
    case 'scsi':
      return scsiStep(at, walk, context);
    case 'usb':
      return usbStep(at, walk);
    case 'serio':
      prepend(walk, `serio-${/[0-9]*$/.exec(sysname)?.[0] ?? ''}`);
      return topOf(at, subsystem);
    case 'virtio':
      walk.hasTransport = true;
      return topOf(at, subsystem);
    case 'nvme':
    case 'nvme-subsystem': {
      const nsid = device.attribute('nsid');
      if (nsid === undefined) return at;
      prepend(walk, `nvme-${nsid}`);
      walk.hasParent = true;
      walk.hasTransport = true;
      return topOf(at, subsystem);
    }
    case 'cciss': {
      const disk = /^c\d+d(\d+)/.exec(sysname)?.[1];
      if (disk === undefined) return undefined;
      prepend(walk, `cciss-disk${disk}`);
      walk.hasTransport = true;
      return topOf(at, subsystem);
    }
    case 'spi':
      prepend(walk, `cs-${/[0-9]*$/.exec(sysname)?.[0] ?? ''}`);
      return topOf(at, subsystem);
    default:
      return at;
  }
}

function prepend(walk: Walk, part: string): void {
  walk.path.unshift(part);
  walk.compat?.unshift(part);
}

function tapeStep(sysname: string, walk: Walk): void {
  const [, name] = /^(n?st[lma])/.exec(sysname) ?? [];
  if (walk.path.length === 0 && name !== undefined) prepend(walk, name);
}

function usbStep(at: RuleDevice, walk: Walk): RuleDevice {
  walk.hasTransport = true;
  const devtype = at.uevent['DEVTYPE'];
  const [, port] = /^[^-]*-(.*)$/.exec(at.sysname) ?? [];
  if ((devtype !== 'usb_interface' && devtype !== 'usb_device') || port === undefined) return at;
  prepend(walk, `usb-0:${port}`);
  return topOf(at, 'usb');
}

function scsiStep(at: RuleDevice, walk: Walk, context: RuleContext): RuleDevice | undefined {
  walk.hasTransport = true;
  if (at.uevent['DEVTYPE'] !== 'scsi_device') return at;
  const firewire = at.attribute('ieee1394_id');
  if (firewire !== undefined) {
    prepend(walk, `ieee1394-0x${firewire}`);
    walk.hasParent = true;
    return topOf(at, 'scsi');
  }
  const transport = scsiTransport(at, context);
  if (transport === undefined) return undefined;
  if (transport !== 'none') {
    prepend(walk, transport.part);
    walk.hasParent ||= transport.standsAlone;
    return at;
  }
  const host = ancestorOf(at, 'scsi', 'scsi_host');
  const numbers = /^(\d+):(\d+):(\d+):(\d+)$/.exec(at.sysname);
  if (host === undefined || numbers === null) return undefined;
  const [, hostNumber, bus = '', target = '', lun = ''] = numbers;
  if (at.devpath.includes('/ata')) {
    const port = host.parent && context.device('ata_port', host.parent.sysname)?.attribute('port_no');
    if (port === undefined) return undefined;
    walk.compat = [`ata-${port}`, ...walk.path];
    walk.path.unshift(bus === '0' ? `ata-${port}.${target}` : `ata-${port}.${bus}.0`);
    return host;
  }
  // Hosts are counted from boot on; beside its siblings the number stays.
  const siblings = host.list('..').flatMap(name => /^host(\d+)$/.exec(name)?.[1] ?? []);
  const first = Math.min(...siblings.map(Number));
  prepend(walk, `scsi-${Number(hostNumber) - (Number.isFinite(first) ? first : 0)}:${bus}:${target}:${lun}`);
  return host;
}
