import type { Arrival } from '../../../core/pipeline/1-intake/uevent-body.ts';

/** A kernel's message for net device lo, as captured from a running kernel (6.18) after `change UUID A=1` was written to its uevent. */
export const LO_CHANGE =
  'change@/devices/virtual/net/lo\0ACTION=change\0DEVPATH=/devices/virtual/net/lo\0SUBSYSTEM=net\0' +
  'SYNTH_UUID=00000000-1111-4222-8333-444444444444\0SYNTH_ARG_A=1\0INTERFACE=lo\0IFINDEX=1\0SEQNUM=569004\0';

/** Of a USB interface: the usual reason to load a module. */
export const USB_ADD =
  'add@/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0\0ACTION=add\0' +
  'DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0\0SUBSYSTEM=usb\0DEVTYPE=usb_interface\0' +
  'PRODUCT=781/5567/126\0TYPE=0/0/0\0INTERFACE=8/6/80\0' +
  'MODALIAS=usb:v0781p5567d0126dc00dsc00dp00ic08isc06ip50in00\0SEQNUM=18446744073709551615\0';

export const ARRIVAL: Arrival = { origin: { kind: 'kernel' }, receivedAtMs: 1.5 };

/** A null-prototype object, as a uevent's env is. */
export function env(values: Record<string, string>): Record<string, string> {
  return Object.assign(Object.create(null) as Record<string, string>, values);
}
