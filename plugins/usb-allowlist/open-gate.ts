import type { PluginContext } from '../../core/plugin-api/index.ts';
import { isRootHub } from './usb-kinds.ts';

const GATES = ['authorized_default', 'interface_authorized_default'] as const;

/**
 * Says so when the kernel gives USB devices to drivers that are loaded already without asking anybody: then the list only decides about
 * modules that are not. Source: Documentation/usb/authorization.rst.
 */
export async function tellOpenGate(context: Pick<PluginContext<unknown>, 'devices' | 'log'>): Promise<void> {
  const hubs = (await context.devices({ subsystem: 'usb', wants: GATES.map(name => `attr:${name}` as const) })).filter(
    device => device.devtype === 'usb_device' && isRootHub(device),
  );
  const open = hubs.filter(({ attributes }) => !GATES.some(name => attributes?.[name]?.trim() === '0'));
  if (open.length === 0) return;
  const names = open.map(({ devpath }) => devpath.slice(devpath.lastIndexOf('/') + 1)).join(', ');
  context.log.info(
    `at ${names} a device gets a driver that is loaded already without being asked about: policy.usb_gate in usherd.toml closes that`,
  );
}
