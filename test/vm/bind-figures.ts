import { Guest } from './guest.ts';
import { whyNoMachine } from './requirements.ts';
import { stageProgram } from './staged-root.ts';
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

/** Each device is plugged in so often, its modules being removed in between. */
const ROUNDS = 3;
/** Two processors, as the smallest of today's machines have. */
const PROCESSORS = 2;
/** The longest a device takes, several times over. */
const BOUND_AFTER_US = 1_500_000;

/**
 * What one side takes on an emulated machine. One listener, guest/time-uevents.c, takes the times on all sides, as it hears of the
 * events: of a device from the `add` of its part to the `bind` of its driver.
 */
export interface BindFigures {
  /** Seconds from the start of the daemon to the `bind` of the last driver of the coldplugged devices. */
  readonly startSeconds: number;
  /** Resident memory of all the daemon's processes, in kibibytes. */
  readonly memoryKib: number;
  /** By device, milliseconds from `add` to `bind`, its modules being loaded in between; one for each round. */
  readonly latencies: ReadonlyMap<string, readonly number[]>;
}

interface TimedEvent {
  readonly atMs: number;
  readonly action: string;
  readonly devpath: string;
}

async function timedEvents(guest: Guest): Promise<readonly TimedEvent[]> {
  const lines = (await guest.run('cat /run/events')).split('\n');
  return lines.flatMap(line => {
    const [, atMs, action = '', devpath = ''] = /^([\d.]+) (\w+)@(.*)$/.exec(line) ?? [];
    return atMs === undefined ? [] : [{ atMs: Number(atMs), action, devpath }];
  });
}

/** Waits until nothing happens; a shell that sleeps takes no time from who is at work. */
function quiet(guest: Guest): Promise<string> {
  return guest.run(
    'before=; while now=$(wc -c </run/events) && [ "$now" != "$before" ]; do before=$now; usleep 2000000; done',
  );
}

const modules = async (guest: Guest): Promise<readonly string[]> =>
  (await guest.run('cut -d" " -f1 /proc/modules')).split('\n');

/** Takes out what is loaded beside `kept`, whoever needs whom. */
async function unloadAllBut(guest: Guest, kept: readonly string[]): Promise<void> {
  for (;;) {
    const more = (await modules(guest)).filter(module => !kept.includes(module));
    if (more.length === 0) return;
    const { status } = await guest.try(
      `ended=1; for m in ${more.join(' ')}; do busybox rmmod $m 2>/dev/null && ended=0; done; exit $ended`,
    );
    if (status !== 0) return;
  }
}

/** As at any boot but the first: the compiled aliases are there. */
const START_ONCE = `usher daemon --no-coldplug >/dev/null 2>&1 & pid=$!
  until usher status >/dev/null 2>&1; do usleep 200000; done; usleep 3000000; kill $pid; while [ -d /proc/$pid ]; do usleep 100000; done`;

async function measure(guest: Guest, start: string, memory: string): Promise<BindFigures> {
  await guest.run(START_ONCE);
  await guest.run('setsid time-uevents /run/events >/run/time.log 2>&1 & usleep 300000');
  const startedAtMs = Number((await guest.run('cat /proc/uptime')).split(' ')[0]) * 1000;
  await guest.run(start);
  await quiet(guest);
  const lastBind = (await timedEvents(guest)).findLast(({ action }) => action === 'bind');
  const startSeconds = ((lastBind?.atMs ?? Number.NaN) - startedAtMs) / 1000;
  const kept = await modules(guest);
  const latencies = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [device, bus, driver] of BOUND_DEVICES) {
      const plug = await guest.plug(device);
      await guest.run(`usleep ${BOUND_AFTER_US}`);
      const [bound] = await guest.expectBound(bus, driver);
      const events = (await timedEvents(guest)).filter(({ devpath }) => devpath === bound?.devpath);
      const bind = events.findLast(({ action }) => action === 'bind');
      const add = events.findLast(({ action, atMs }) => action === 'add' && atMs < (bind?.atMs ?? 0));
      if (bind !== undefined && add !== undefined)
        latencies.set(device, [...(latencies.get(device) ?? []), bind.atMs - add.atMs]);
      await guest.unplug(plug);
      await guest.expectNone(bus, driver);
      await unloadAllBut(guest, kept);
      await quiet(guest);
    }
  }
  return { startSeconds, memoryKib: Number(await guest.run(memory)), latencies };
}

const resident = (pids: string): string =>
  `cat $(for p in ${pids}; do echo /proc/$p/status; done) | awk '/^VmRSS/ { sum += $2 } END { print sum }'`;

/** Boots a machine, measures it and stops it again. */
async function side(prepareRoot: (root: string) => Promise<void>, start: string, pids: string): Promise<BindFigures> {
  const guest = await Guest.boot({
    processors: PROCESSORS,
    prepareRoot: async root => {
      stageProgram(root, 'time-uevents');
      await prepareRoot(root);
    },
  });
  try {
    return await measure(guest, start, resident(pids));
  } finally {
    await guest.stop();
  }
}

const START_USHERD = 'setsid usher daemon --source kernel >/run/usherd.log 2>&1 &';
const USHERD_PID = '$(usher status --json | sed "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/")';

/**
 * Measures usherd, systemd-udevd and busybox mdev, each on a machine of its own, one after the other; or why there is no machine.
 */
export async function measureBinding(): Promise<Readonly<Record<'usherd' | 'udevd' | 'mdev', BindFigures>> | string> {
  const why = whyNoMachine();
  if (why !== undefined) return why;
  return {
    usherd: await side(stageModprobeConf, START_USHERD, USHERD_PID),
    udevd: await side(stageUdev, START_UDEV, '$(pidof systemd-udevd)'),
    mdev: await side(stageMdev, START_MDEV, '$(pidof mdev)'),
  };
}

/** A value of which so large a share of all is no greater. */
export function percentile(values: readonly number[], share: number): number {
  const inOrder = [...values].toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))] ?? Number.NaN;
}
