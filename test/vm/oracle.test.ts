import { Guest } from './guest.ts';
import { guestFor } from './scenario.ts';
import { sorted } from './told.ts';
import { stageModprobeConf, stageUdev, START_UDEV } from './udev-root.ts';

/**
 * All that is plugged in before either of them starts: device, and the driver that is there when it has got it. usb-net is not among
 * them: its two interfaces name two drivers, which udevd's workers load side by side, so that now the one and now the other has it.
 */
const DEVICES: readonly (readonly [device: string, bus: string, driver: string])[] = [
  ['e1000e', 'pci', 'e1000e'],
  ['nvme', 'pci', 'nvme'],
  ['virtio-net-pci', 'virtio', 'virtio_net'],
  ['virtio-rng-pci', 'virtio', 'virtio_rng'],
  ['AC97', 'pci', 'snd_intel8x0'],
  ['sdhci-pci', 'pci', 'sdhci-pci'],
  ['usb-storage', 'usb', 'usb-storage'],
  ['usb-serial', 'usb', 'ftdi_sio'],
  ['usb-audio', 'usb', 'snd-usb-audio'],
  ['usb-mouse', 'hid', 'hid-generic'],
];

/** Loaded by lines of udev's 80-drivers.rules that name them for a subsystem: no device's MODALIAS asks for them. */
const BY_UDEV_RULES = ['sg'];

const scenario = await guestFor({ prepareRoot: root => stageUdev(root) });

/** What there is once every device has its driver and nothing moves any more. */
interface Machine {
  readonly modules: readonly string[];
  /** `DRIVER MODALIAS` of each bound device; paths have numbers that depend on who came first. */
  readonly bound: readonly string[];
}

async function outcomeOf(guest: Guest, settle: string): Promise<Machine> {
  for (const [, bus, driver] of DEVICES) await guest.expectBound(bus, driver);
  // A stick's disk comes a second after the stick: the kernel waits for it to come to rest.
  await guest.expectBound('scsi', 'sd');
  await guest.run(settle);
  const bound = await guest.run(
    `find /sys/devices -name driver -type l | while read -r link; do
       target=$(readlink "$link"); echo "\${target##*/} $(cat "\${link%/driver}/modalias" 2>/dev/null)"
     done | sort`,
  );
  return { modules: sorted((await guest.procModules()).keys()), bound: bound.split('\n') };
}

scenario('coldplug loads the modules and binds the drivers that systemd-udevd and kmod do', async (t, udev) => {
  for (const [device] of DEVICES) await udev.plug(device);
  // The kernel's own requests for modules are not udev's doing: neither side has a modprobe that it could call.
  await udev.run('echo >/proc/sys/kernel/modprobe');
  await udev.run(START_UDEV);
  const wanted = await outcomeOf(udev, 'udevadm settle');
  await udev.stop();
  const own = await Guest.boot({ prepareRoot: root => stageModprobeConf(root) });
  try {
    for (const [device] of DEVICES) await own.plug(device);
    await own.startUsherd();
    const found = await outcomeOf(own, 'usher settle');
    t.deepEqual(found.bound, wanted.bound);
    t.deepEqual(
      found.modules,
      wanted.modules.filter(module => !BY_UDEV_RULES.includes(module)),
    );
    t.true(found.bound.length > DEVICES.length);
  } finally {
    await own.stop();
  }
});
