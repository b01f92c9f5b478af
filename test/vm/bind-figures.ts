import { beginDaemon, DAEMON_PID, Guest } from './guest.ts';
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

/** Each daemon is started so often, what it loaded being removed in between. */
const STARTS = 5;
/** Each device is plugged in so often, its modules being removed in between. */
const ROUNDS = 7;
/** Two processors, as the smallest of today's machines have. */
const PROCESSORS = 2;
/** The longest a device takes, several times over. */
const BOUND_AFTER_US = 1_200_000;

/**
 * What one side takes on an emulated machine. One listener, guest/time-uevents.c, takes the times on all sides, as it hears of the
 * events: of a device from the `add` of its part to the `bind` of its driver.
 */
export interface BindFigures {
  /** Seconds from a start of the daemon to the `bind` of the last driver of the coldplugged devices; one for each start. */
  readonly startSeconds: readonly number[];
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

/** What tells one daemon from another here. */
interface Peer {
  readonly prepareRoot: (root: string) => Promise<void>;
  /** A shell script that starts it, with a coldplug. */
  readonly start: string;
  /** Prints its processes' numbers. */
  readonly pids: string;
}

const PEERS = {
  usherd: {
    prepareRoot: stageModprobeConf,
    start: beginDaemon(),
    pids: `${DAEMON_PID}; echo $pid`,
  },
  udevd: { prepareRoot: stageUdev, start: START_UDEV, pids: 'pidof systemd-udevd' },
  mdev: { prepareRoot: stageMdev, start: START_MDEV, pids: 'pidof mdev' },
} as const satisfies Readonly<Record<string, Peer>>;

export type PeerName = keyof typeof PEERS;

const PEER_NAMES = ['usherd', 'udevd', 'mdev'] as const satisfies readonly PeerName[];

/** As at any boot but the first: the compiled aliases are there, and on the machine's own disk. */
const START_ONCE = `rm -r /var/lib/usherd
  usher daemon --no-coldplug >/dev/null 2>&1 & pid=$!
  until usher status >/dev/null 2>&1; do usleep 200000; done; usleep 3000000; kill $pid; while [ -d /proc/$pid ]; do usleep 100000; done`;

/** A machine with one of the daemons, and what was measured on it so far. */
class Side {
  readonly #guest: Guest;
  readonly #peer: Peer;
  readonly #startSeconds: number[] = [];
  readonly #latencies = new Map<string, number[]>();
  /** Modules that were loaded before: by the machine's start, then by the daemon's. */
  #kept: readonly string[] = [];

  private constructor(guest: Guest, peer: Peer) {
    this.#guest = guest;
    this.#peer = peer;
  }

  static async boot(peer: Peer): Promise<Side> {
    const guest = await Guest.boot({
      processors: PROCESSORS,
      prepareRoot: async root => {
        stageProgram(root, 'time-uevents');
        await peer.prepareRoot(root);
      },
    });
    const side = new Side(guest, peer);
    await guest.run(START_ONCE);
    await guest.run('setsid time-uevents /run/events >/run/time.log 2>&1 & usleep 300000');
    side.#kept = await side.#modules();
    return side;
  }

  /** Starts the daemon, not without having ended it and taken out what it had loaded. */
  async timeStart(): Promise<void> {
    if (this.#startSeconds.length > 0) {
      await this.#guest.run(
        `for pid in $(${this.#peer.pids}); do kill $pid; while [ -d /proc/$pid ]; do usleep 100000; done; done`,
      );
      await this.#unload();
      await this.#quiet();
    }
    await this.#listen();
    const startedAtMs = Number((await this.#guest.run('cat /proc/uptime')).split(' ')[0]) * 1000;
    await this.#guest.run(this.#peer.start);
    // It may take longer until the first event than there is quiet after the last.
    await this.#guest.until('[ $(wc -l </run/events) -ge $(cat /run/from) ]');
    await this.#quiet();
    const lastBind = (await this.#events()).findLast(({ action }) => action === 'bind');
    this.#startSeconds.push(((lastBind?.atMs ?? Number.NaN) - startedAtMs) / 1000);
  }

  /** What is loaded now stays so. */
  async keepModules(): Promise<void> {
    this.#kept = await this.#modules();
  }

  /** Plugs a device in and takes it out again, with its modules. */
  async timeDevice([device, bus, driver]: (typeof BOUND_DEVICES)[number]): Promise<void> {
    const guest = this.#guest;
    await this.#listen();
    const plug = await guest.plug(device);
    await guest.run(`usleep ${BOUND_AFTER_US}`);
    const [bound] = await guest.expectBound(bus, driver);
    const events = (await this.#events()).filter(({ devpath }) => devpath === bound?.devpath);
    const bind = events.findLast(({ action }) => action === 'bind');
    const add = events.findLast(({ action, atMs }) => action === 'add' && atMs < (bind?.atMs ?? 0));
    if (bind !== undefined && add !== undefined)
      this.#latencies.set(device, [...(this.#latencies.get(device) ?? []), bind.atMs - add.atMs]);
    await guest.unplug(plug);
    await guest.expectNone(bus, driver);
    await this.#unload();
    await this.#quiet();
  }

  async figures(): Promise<BindFigures> {
    const memory = await this.#guest.run(
      `for p in $(${this.#peer.pids}); do cat /proc/$p/status; done | awk '/^VmRSS/ { sum += $2 } END { print sum }'`,
    );
    return { startSeconds: this.#startSeconds, memoryKib: Number(memory), latencies: this.#latencies };
  }

  stop(): Promise<void> {
    return this.#guest.stop();
  }

  async #listen(): Promise<void> {
    await this.#guest.run('echo $(($(wc -l </run/events) + 1)) >/run/from');
  }

  /** What the listener heard since `#listen`. */
  async #events(): Promise<readonly TimedEvent[]> {
    const lines = (await this.#guest.run('tail -n +$(cat /run/from) /run/events')).split('\n');
    return lines.flatMap(line => {
      const [, atMs, action = '', devpath = ''] = /^([\d.]+) (\w+)@(.*)$/.exec(line) ?? [];
      return atMs === undefined ? [] : [{ atMs: Number(atMs), action, devpath }];
    });
  }

  async #modules(): Promise<readonly string[]> {
    return (await this.#guest.run('cut -d" " -f1 /proc/modules')).split('\n');
  }

  /** Takes out what is loaded beside what is kept, whoever needs whom. */
  async #unload(): Promise<void> {
    for (;;) {
      const more = (await this.#modules()).filter(module => !this.#kept.includes(module));
      if (more.length === 0) return;
      const { status } = await this.#guest.try(
        `ended=1; for m in ${more.join(' ')}; do busybox rmmod $m 2>/dev/null && ended=0; done; exit $ended`,
      );
      if (status !== 0) return;
    }
  }

  /** Waits until nothing happens; a shell that sleeps takes no time from who is at work. */
  async #quiet(): Promise<void> {
    await this.#guest.run(
      'before=; while now=$(wc -c </run/events) && [ "$now" != "$before" ]; do before=$now; usleep 2000000; done',
    );
  }
}

/**
 * Measures usherd, systemd-udevd and busybox mdev, each on a machine of its own. They take turns, device by device, since the speed of
 * the machine that emulates them changes within minutes; who waits for a turn sleeps.
 *
 * @returns why there is no machine, where there is none
 */
export async function measureBinding(): Promise<Readonly<Record<PeerName, BindFigures>> | string> {
  const why = whyNoMachine();
  if (why !== undefined) return why;
  const sides = new Map<PeerName, Side>();
  try {
    for (const name of PEER_NAMES) sides.set(name, await Side.boot(PEERS[name]));
    for (let start = 0; start < STARTS; start += 1) for (const side of sides.values()) await side.timeStart();
    for (const side of sides.values()) await side.keepModules();
    for (let round = 0; round < ROUNDS; round += 1)
      for (const device of BOUND_DEVICES) for (const side of sides.values()) await side.timeDevice(device);
    const figures = new Map<PeerName, BindFigures>();
    for (const [name, side] of sides) figures.set(name, await side.figures());
    return Object.fromEntries(figures) as Record<PeerName, BindFigures>;
  } finally {
    for (const side of sides.values()) await side.stop();
  }
}

/** A value of which so large a share of all is no greater. */
export function percentile(values: readonly number[], share: number): number {
  const inOrder = [...values].toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))] ?? Number.NaN;
}
