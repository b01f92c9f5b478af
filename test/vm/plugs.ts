/** What QEMU must be told of a device besides its name: the things of the host at its other end. */
const PROPERTIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'usb-storage': { drive: 'stick' },
  // Without it, it is plugged only once somebody opens its other end.
  'usb-serial': { chardev: 'nowhere', 'always-plugged': true },
  'usb-net': { netdev: 'net0' },
  'usb-audio': { audiodev: 'sound' },
  e1000e: { netdev: 'net1' },
  e1000: { netdev: 'net1' },
  'virtio-net-pci': { netdev: 'net2' },
  'virtio-rng-pci': { rng: 'random' },
  nvme: { drive: 'nvme', serial: 'usherd' },
  AC97: { audiodev: 'sound' },
};

/** Devices whose removal the guest sees and of which QEMU never says that they are gone. */
const REMOVED_IN_SILENCE = new Set(['ich9-intel-hda', 'qemu-xhci']);

/** A kind of device QEMU can plug → what the command needs, but for its place. */
export function propertiesOf(driver: string): Readonly<Record<string, unknown>> {
  return PROPERTIES[driver] ?? {};
}

/** USB devices go to the xhci controller, all else into a PCI Express port. */
export function isUsb(driver: string): boolean {
  return driver.startsWith('usb-');
}

export function tellsRemoval(driver: string): boolean {
  return !REMOVED_IN_SILENCE.has(driver);
}
