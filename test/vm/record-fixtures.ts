/**
 * Makes test/fixtures/recordings/ anew, on a real kernel: node test/vm/record-fixtures.ts. Each recording is one device plugged in and
 * pulled out while usherd runs.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Guest } from './guest.ts';

const target = path.resolve(import.meta.dirname, '../fixtures/recordings');

/** Name of the recording, device, and a condition of the guest's shell that tells when all has happened. */
const RECORDINGS: readonly (readonly [name: string, device: string, condition: string])[] = [
  ['usb-storage', 'usb-storage', '[ -e /sys/bus/scsi/drivers/sd/*:0/block/sda/stat ]'],
  ['e1000e', 'e1000e', '[ -e /sys/bus/pci/drivers/e1000e/*/driver ]'],
  ['usb-serial-blacklisted', 'usb-serial', 'grep -l 6001 /sys/bus/usb/devices/*/idProduct'],
];

const guest = await Guest.boot({ files: { 'etc/modprobe.d/test.conf': 'blacklist ftdi_sio\n' } });
try {
  await guest.startUsherd();
  mkdirSync(target, { recursive: true });
  for (const [name, device, condition] of RECORDINGS) {
    await guest.run(`setsid usher record /host/${name}.uevents >/run/${name}.log 2>&1 & echo $! >/run/recorder`);
    await guest.until(`grep -q recording /run/${name}.log`);
    const plug = await guest.plug(device);
    await guest.until(condition);
    // Whatever still comes of it, comes now: a settled queue and a second of the guest's clock.
    await guest.run('usher settle >/dev/null; usleep 1000000');
    await guest.unplug(plug);
    await guest.run(
      'usleep 1000000; kill -INT $(cat /run/recorder); while [ -d /proc/$(cat /run/recorder) ]; do usleep 50000; done',
    );
    copyFileSync(path.join(guest.machine.dir, 'host', `${name}.uevents`), path.join(target, `${name}.uevents`));
  }
} finally {
  await guest.stop();
}
