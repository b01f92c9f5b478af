import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseRecording } from '../../core/pipeline/1-intake/recording.ts';
import { Guest } from './guest.ts';
import { whyNoMachine } from './requirements.ts';
import { stageMdev, stageModprobeConf, stageUdev, START_MDEV, START_UDEV } from './udev-root.ts';

/** Kind of device, and bus and driver of the part that is waited for. */
export const BOUND_DEVICES: readonly (readonly [device: string, bus: string, driver: string])[] = [
  ['usb-storage', 'usb', 'usb-storage'],
  ['usb-serial', 'usb', 'ftdi_sio'],
  ['usb-mouse', 'hid', 'hid-generic'],
  ['usb-audio', 'usb', 'snd-usb-audio'],
  ['e1000e', 'pci', 'e1000e'],
  ['nvme', 'pci', 'nvme'],
  ['usb-net', 'usb', 'cdc_*'],
  ['AC97', 'pci', 'snd_intel8x0'],
  ['sdhci-pci', 'pci', 'sdhci-pci'],
  ['virtio-net-pci', 'virtio', 'virtio_net'],
  ['virtio-rng-pci', 'virtio', 'virtio_rng'],
];

/**
 * What one side takes on an emulated machine. One listener, `usher record`, takes the times on all sides, from the `add` uevent of the
 * device's part to the `bind` of its driver, as it hears them.
 */
export interface BindFigures {
  /** Seconds of the guest's clock from the start of the daemon until nothing is left to do. */
  readonly startSeconds: number;
  /** Resident memory of all the daemon's processes, in kibibytes. */
  readonly memoryKib: number;
  /** By device, milliseconds from `add` to `bind`, its modules being loaded in between. */
  readonly latencies: ReadonlyMap<string, number>;
}

async function measure(guest: Guest, start: (guest: Guest) => Promise<void>, memory: string): Promise<BindFigures> {
  // As at any boot but the first: the compiled aliases are there, and both sides have the same in the page cache.
  await guest.run('usher why --now pci:v00001234d000011E8sv00001AF4sd00001100bc00scFFi00');
  const uptime = async (): Promise<number> => Number((await guest.run('cat /proc/uptime')).split(' ')[0]);
  const startedAt = await uptime();
  await start(guest);
  const startSeconds = (await uptime()) - startedAt;
  // It listens before all others, whoever is at work: the times are those of the events.
  await guest.run(
    'renice -n -20 -p $$ >/dev/null; setsid usher record /host/figures.uevents >/run/record.log 2>&1 & usleep 3000000',
  );
  const latencies = new Map<string, number>();
  for (const [device, bus, driver] of BOUND_DEVICES) {
    const plug = await guest.plug(device);
    const [bound] = await guest.expectBound(bus, driver);
    await guest.run('usleep 1000000');
    const tookMs = latencyIn(path.join(guest.machine.dir, 'host/figures.uevents'), bound?.devpath ?? '');
    if (tookMs !== undefined) latencies.set(device, tookMs);
    await guest.unplug(plug);
    await guest.expectNone(bus, driver);
  }
  return { startSeconds, memoryKib: Number(await guest.run(memory)), latencies };
}

/** The last `add` and the first `bind` after it of one device, in a recording. */
function latencyIn(file: string, devpath: string): number | undefined {
  let addedMs: number | undefined;
  let tookMs: number | undefined;
  for (const item of parseRecording(readFileSync(file, 'utf8'), file).items) {
    if (item.kind !== 'datagram') continue;
    const [header] = item.bytes.toString('latin1').split('\0');
    if (header === `add@${devpath}`) [addedMs, tookMs] = [item.tMs, undefined];
    if (header === `bind@${devpath}` && addedMs !== undefined) tookMs ??= item.tMs - addedMs;
  }
  return tookMs;
}

const resident = (pids: string): string =>
  `cat $(for p in ${pids}; do echo /proc/$p/status; done) | awk '/^VmRSS/ { sum += $2 } END { print sum }'`;

/** Boots a machine, measures it and stops it again. */
async function side(
  prepareRoot: (root: string) => Promise<void>,
  start: (guest: Guest) => Promise<void>,
  pids: string,
): Promise<BindFigures> {
  const guest = await Guest.boot({ prepareRoot });
  try {
    return await measure(guest, start, resident(pids));
  } finally {
    await guest.stop();
  }
}

/**
 * Measures usherd, systemd-udevd and busybox mdev, each on a machine of its own, one after the other; or why there is no machine.
 */
export async function measureBinding(): Promise<Readonly<Record<'usherd' | 'udevd' | 'mdev', BindFigures>> | string> {
  const why = whyNoMachine();
  if (why !== undefined) return why;
  return {
    usherd: await side(
      stageModprobeConf,
      guest => guest.startUsherd(),
      '$(usher status --json | sed "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/")',
    ),
    udevd: await side(stageUdev, async guest => void (await guest.run(START_UDEV)), '$(pidof systemd-udevd)'),
    mdev: await side(stageMdev, async guest => void (await guest.run(START_MDEV)), '$(pidof mdev)'),
  };
}

/** A value of which so large a share of all is no greater. */
export function percentile(values: readonly number[], share: number): number {
  const inOrder = [...values].toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))] ?? Number.NaN;
}
