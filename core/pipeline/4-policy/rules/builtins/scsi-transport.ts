import type { RuleContext, RuleDevice } from '../rule-context.ts';
import { ancestorOf } from './ancestors.ts';

/** How a SCSI device is reached, as a part of its place that stays; and whether that place stands on its own, without a bus above. */
export interface TransportPart {
  readonly part: string;
  readonly standsAlone: boolean;
}

/**
 * A SCSI device on Fibre Channel, SAS, iSCSI or Hyper-V's bus → its part of ID_PATH. `none` when it is on none of these, undefined when it is
 * and its transport does not say what the name is made of. sysfs has no subsystem for them: the path tells.
 * Source: systemd, path_id as observed; the kernel's classes fc_transport, sas_device, sas_port, iscsi_session and iscsi_connection.
 */
export function scsiTransport(disk: RuleDevice, context: RuleContext): TransportPart | 'none' | undefined {
  const { devpath } = disk;
  if (devpath.includes('/rport-')) return alone(fibreChannel(disk, context));
  if (devpath.includes('/end_device-')) return alone(sas(disk, context));
  if (devpath.includes('/session')) return alone(iscsi(disk, context));
  if (/\/(?:vmbus_|VMBUS)/.test(devpath)) {
    const part = hyperV(disk);
    return part === undefined ? undefined : { part, standsAlone: false };
  }
  return 'none';
}

function alone(part: string | undefined): TransportPart | undefined {
  return part === undefined ? undefined : { part, standsAlone: true };
}

function fibreChannel(disk: RuleDevice, context: RuleContext): string | undefined {
  const target = ancestorOf(disk, 'scsi', 'scsi_target');
  const port = target && context.device('fc_transport', target.sysname)?.attribute('port_name');
  return port === undefined ? undefined : `fc-${port}-${lunOf(disk)}`;
}

/** A disk with one phy is named by it, and by the expander it is on, if there is one; one on several by its own address. */
function sas(disk: RuleDevice, context: RuleContext): string | undefined {
  const end = ancestorOf(disk, 'scsi', 'scsi_target')?.parent;
  const port = end?.parent;
  if (end === undefined || port === undefined) return undefined;
  const device = context.device('sas_device', end.sysname);
  const phys = context.device('sas_port', port.sysname)?.attribute('num_phys');
  if (device === undefined || phys === undefined) return undefined;
  if (phys !== '1') {
    const address = device.attribute('sas_address');
    return address === undefined ? undefined : `sas-${address}-${lunOf(disk)}`;
  }
  const phy = device.attribute('phy_identifier');
  if (phy === undefined) return undefined;
  const expander = port.parent && context.device('sas_device', port.parent.sysname);
  if (expander === undefined) return `sas-phy${phy}-${lunOf(disk)}`;
  const address = expander.attribute('sas_address');
  return address === undefined ? undefined : `sas-exp${address}-phy${phy}-${lunOf(disk)}`;
}

function iscsi(disk: RuleDevice, context: RuleContext): string | undefined {
  let session = disk.parent;
  while (session !== undefined && !session.sysname.startsWith('session')) session = session.parent;
  if (session === undefined) return undefined;
  const target = context.device('iscsi_session', session.sysname)?.attribute('targetname');
  const number = /[0-9]+$/.exec(session.sysname)?.[0];
  const connection = number === undefined ? undefined : context.device('iscsi_connection', `connection${number}:0`);
  const [address, port] = ['persistent_address', 'persistent_port'].map(name => connection?.attribute(name));
  if (target === undefined || address === undefined || port === undefined) return undefined;
  return `ip-${address}:${port}-iscsi-${target}-${lunOf(disk)}`;
}

function hyperV(disk: RuleDevice): string | undefined {
  const channel = ancestorOf(disk, 'scsi', 'scsi_host')?.parent?.attribute('device_id');
  const [, guid] = /^\{([0-9A-Fa-f-]{34,})\}/.exec(channel ?? '') ?? [];
  return guid === undefined ? undefined : `vmbus-${guid.replaceAll('-', '')}-${lunOf(disk)}`;
}

/** The LUN that the end of a SCSI device's name is; beyond 255 by its eight bytes, as SAM has them. */
function lunOf({ sysname }: RuleDevice): string {
  const lun = Number(/[0-9]+$/.exec(sysname)?.[0] ?? 0);
  const word = (value: number): string => value.toString(16).padStart(4, '0');
  return lun < 256 ? `lun-${lun}` : `lun-0x${word(lun & 0xffff)}${word((lun >>> 16) & 0xffff)}00000000`;
}
