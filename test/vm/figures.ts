/**
 * Prints how quick usherd is beside systemd-udevd, each on the same emulated machine: node test/vm/figures.ts. One listener, `usher
 * record`, takes the times on both sides, from the `add` uevent of the device's part to the `bind` of its driver, as it hears them.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseRecording } from '../../core/pipeline/1-intake/recording.ts';
import { Guest } from './guest.ts';
import { whyNoMachine } from './requirements.ts';
import { stageModprobeConf, stageUdev, START_UDEV } from './udev-root.ts';

/** Kind of device, and bus and driver of the part that is waited for. */
const DEVICES: readonly (readonly [device: string, bus: string, driver: string])[] = [
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

interface Figures {
  /** Seconds of the guest's clock from the start of the daemon until nothing is left to do. */
  readonly startSeconds: number;
  /** Resident memory of all the daemon's processes, in kibibytes. */
  readonly memoryKib: number;
  /** By device, milliseconds from `add` to `bind`, its modules being loaded in between. */
  readonly latencies: ReadonlyMap<string, number>;
}

async function measure(guest: Guest, start: (guest: Guest) => Promise<void>, memory: string): Promise<Figures> {
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
  for (const [device, bus, driver] of DEVICES) {
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

function percentile(values: readonly number[], share: number): number {
  const inOrder = [...values].toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))] ?? Number.NaN;
}

function printFigures(usherd: Figures, udevd: Figures): void {
  const row = (title: string, own: number, peer: number, unit: string): void =>
    console.log(
      `${title.padEnd(34)} ${own.toFixed(1).padStart(9)} ${peer.toFixed(1).padStart(9)} ${(own / peer).toFixed(2).padStart(7)}  ${unit}`,
    );
  console.log(`${''.padEnd(34)}    usherd   udevd   ratio`);
  row('start until all is bound', usherd.startSeconds, udevd.startSeconds, 's');
  row('resident memory', usherd.memoryKib / 1024, udevd.memoryKib / 1024, 'MiB');
  for (const [device] of DEVICES) {
    row(device, usherd.latencies.get(device) ?? Number.NaN, udevd.latencies.get(device) ?? Number.NaN, 'ms');
  }
  const all = ({ latencies }: Figures): readonly number[] => [...latencies.values()];
  row('all devices: p50', percentile(all(usherd), 0.5), percentile(all(udevd), 0.5), 'ms');
  row('all devices: p99', percentile(all(usherd), 0.99), percentile(all(udevd), 0.99), 'ms');
}

const why = whyNoMachine();
if (why === undefined) {
  const resident = (pids: string): string =>
    `cat $(for p in ${pids}; do echo /proc/$p/status; done) | awk '/^VmRSS/ { sum += $2 } END { print sum }'`;
  const own = await Guest.boot({ prepareRoot: root => stageModprobeConf(root) });
  const usherd = await measure(
    own,
    guest => guest.startUsherd(),
    resident('$(usher status --json | sed "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/")'),
  );
  await own.stop();
  const peer = await Guest.boot({ prepareRoot: root => stageUdev(root) });
  const udevd = await measure(
    peer,
    async guest => void (await guest.run(START_UDEV)),
    resident('$(pidof systemd-udevd)'),
  );
  await peer.stop();
  printFigures(usherd, udevd);
} else console.log(`no figures: ${why}`);
