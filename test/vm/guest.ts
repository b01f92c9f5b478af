import { globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ENTRIES_MAX } from '../../core/cli/answers/servable.ts';
import { jsonLines, type Ran } from '../support/usher.ts';
import { cacheFolder } from '../support/debian-packages.ts';
import { debianKernel, type DebianKernel } from './debian-kernel.ts';
import type { KernelChoice } from '../support/kernel-tree.ts';
import { INDEXED_TREE, indexedTree } from './indexed-tree.ts';
import { makeInitrd } from './initrd.ts';
import { Machine, ROOT_PORTS } from './machine.ts';
import { isUsb, propertiesOf, tellsRemoval } from './plugs.ts';
import type { BoundDevice, Entry, Explanation, Incident, LoadedModule } from './told.ts';
import { testModules } from './test-modules.ts';
import { stageRoot, type RootExtras } from './staged-root.ts';

/** Only guards against a hang: seconds until a thing that must come has not come. */
const WAIT_MAX_SECONDS = 60;
const DELETED_MAX_MS = 60_000;
/** In the guest: the daemon's socket, and the number of its process, which these tests write. */
const SOCKET = '/run/usherd/socket';
const PID_FILE = '/run/usherd.pid';
/** No run lasts so long: a machine's folder that is older belongs to one that was killed, a tree not used for so long to an older build. */
const LEFT_BEHIND_MS = 60 * 60_000;

export interface BootOptions extends RootExtras {
  readonly kernel?: KernelChoice;
  /** Build test-modules.ts's modules and put them into the tree's updates/. */
  readonly testModules?: boolean;
  /** Folders of the tree's kernel/ that the machine does not have: where the tree is indexed in the guest, which takes it a minute. */
  readonly withoutFolders?: readonly string[];
  readonly commandLine?: readonly string[];
  readonly boardDevices?: readonly string[];
  readonly processors?: number;
  /** Changes the root after it was staged. */
  readonly prepareRoot?: (root: string, kernel: DebianKernel) => void | Promise<void>;
}

/** Something that is plugged in. */
export interface Plug {
  /** QEMU's name for it. */
  readonly id: string;
  readonly driver: string;
  /** The PCI Express port it is in. */
  readonly port?: number;
  /** The first event it can have caused. */
  readonly fromSeqnum: bigint;
}

/** A Debian kernel with usherd, and the hands to plug things into it. */
export class Guest {
  readonly kernel: DebianKernel;
  readonly machine: Machine;
  readonly #dir: string;
  readonly #plugged = new Set<Plug>();
  #count = 0;

  private constructor(dir: string, kernel: DebianKernel, machine: Machine) {
    this.#dir = dir;
    this.kernel = kernel;
    this.machine = machine;
  }

  static async boot(options: BootOptions): Promise<Guest> {
    const {
      kernel: choice = 'stable',
      commandLine = [],
      boardDevices = [],
      processors,
      prepareRoot,
      testModules: wantsModules,
      withoutFolders = [],
      ...extras
    } = options;
    const kernel = await debianKernel(choice);
    sweep();
    const modules = wantsModules === true ? await testModules(kernel) : {};
    const tree = await indexedTree(kernel, { modules, without: withoutFolders });
    // Beside the cache, since links do not reach over file systems.
    const dir = mkdtempSync(path.join(cacheFolder(), 'machine-'));
    for (const folder of ['root', 'host']) mkdirSync(path.join(dir, folder));
    const [root, initrd] = [path.join(dir, 'root'), path.join(dir, 'initrd')];
    await stageRoot(root, kernel.release, tree, extras);
    await prepareRoot?.(root, kernel);
    writeFileSync(initrd, await makeInitrd(kernel));
    return new Guest(
      dir,
      kernel,
      await Machine.boot({ dir, kernel: kernel.elf, initrd, root, commandLine, boardDevices, processors }),
    );
  }

  async stop(): Promise<void> {
    await this.machine.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Runs a shell script → what it printed. @throws {Error} when it fails */
  async run(script: string): Promise<string> {
    return (await this.#succeed(script)).stdout.trimEnd();
  }

  /** As `run`, for scripts that may fail. */
  try(script: string): Promise<Ran> {
    return this.machine.run(script);
  }

  /** Waits until a shell condition holds. @throws {Error} when it never does */
  async until(condition: string): Promise<void> {
    await this.run(untilLoop(condition));
  }

  /** Starts the daemon and waits until it has dealt with all there is. */
  async startUsherd(...words: readonly string[]): Promise<void> {
    await this.beginUsherd(...words);
    // A command would take the one processor from the daemon; the kernel tells who listens.
    await this.until(`grep -q "${SOCKET}$" /proc/net/unix`);
    await this.run('usher settle >/dev/null');
  }

  /** As `startUsherd`, without waiting. */
  async beginUsherd(...words: readonly string[]): Promise<void> {
    await this.run(beginDaemon(...words));
  }

  /** Ends it as systemd would, and waits until it is gone. */
  async stopUsherd(): Promise<void> {
    await this.run(`${DAEMON_PID}; kill $pid; ${untilLoop('! [ -d /proc/$pid ]')}`);
  }

  /** Plugs a device in, as QEMU calls it. `more` beats what plugs.ts knows of it. */
  async plug(driver: string, more: Readonly<Record<string, unknown>> = {}): Promise<Plug> {
    const fromSeqnum = await this.nextSeqnum();
    const id = `plug${(this.#count += 1)}`;
    const port = isUsb(driver) ? undefined : this.#freePort();
    const bus = port === undefined ? 'xhci.0' : `port${port}`;
    await this.machine.qmp.execute('device_add', { driver, bus, ...propertiesOf(driver), ...more, id });
    const plug = { id, driver, fromSeqnum, ...(port === undefined ? {} : { port }) };
    this.#plugged.add(plug);
    return plug;
  }

  /** The number the kernel's next event will have. */
  async nextSeqnum(): Promise<bigint> {
    return BigInt(await this.run('cat /sys/kernel/uevent_seqnum')) + 1n;
  }

  /** A UAS stick: the disk must be on its bus before it is attached to the port. */
  async plugUas(): Promise<Plug> {
    const plug = await this.plug('usb-uas');
    await this.machine.qmp.execute('device_add', {
      driver: 'scsi-hd',
      bus: `${plug.id}.0`,
      drive: 'uas',
      id: `${plug.id}disk`,
    });
    await this.machine.qmp.execute('qom-set', {
      path: `/machine/peripheral/${plug.id}`,
      property: 'attached',
      value: true,
    });
    return plug;
  }

  /** Pulls a device out and waits until QEMU has let go of it. */
  async unplug(plug: Plug): Promise<void> {
    const { id, driver } = plug;
    const deleted = this.machine.qmp.deviceDeleted(id, AbortSignal.timeout(DELETED_MAX_MS));
    await this.machine.qmp.execute('device_del', { id });
    if (tellsRemoval(driver) && !(await deleted)) throw new Error(`${driver} was not let go of`);
    this.#plugged.delete(plug);
  }

  /** Waits until a driver of a bus has devices, and tells them: the driver links are the kernel's own word. */
  async expectBound(bus: string, driver: string, count = 1): Promise<readonly BoundDevice[]> {
    const links = `/sys/bus/${bus}/drivers/${driver}/*/driver`;
    // Looked at and told in one: a bus may take a device away for a moment, to try another driver on it.
    const bound = `for link in ${links}; do [ -e "$link" ] && readlink -f "\${link%/driver}"; done`;
    const found = await this.run(
      `${untilLoop(`found=$(${bound}) ; [ "$(echo "$found" | grep -c ^/sys/devices/)" -ge ${count} ]`)}
       echo "$found"`,
    );
    return found.split('\n').map(line => ({ devpath: line.replace(/^\/sys/, ''), driver }));
  }

  /** Waits until a driver of a bus has no device left. */
  expectNone(bus: string, driver: string): Promise<void> {
    return this.until(`set -- /sys/bus/${bus}/drivers/${driver}/*/driver; ! [ -e "$1" ]`);
  }

  /** Entries of the ledger, once all the kernel has sent is dealt with. `filter` is what `usher history` takes, and no limit. */
  async history(filter = '', { isRunning = true } = {}): Promise<readonly Entry[]> {
    if (isRunning) await this.#settle();
    return this.#ledgerRows<Entry>(filter);
  }

  /** Entries of what happened to a device since this number, in order. */
  async storyOf(devpath: string, fromSeqnum: bigint): Promise<readonly Entry[]> {
    return this.history(`-d ${devpath} --from-seqnum ${fromSeqnum}`);
  }

  /** Incidents of the ledger, once all the kernel has sent is dealt with. */
  async incidents(): Promise<readonly Incident[]> {
    await this.#settle();
    return this.#ledgerRows<Incident>('--incidents');
  }

  /** What `usher why` tells of a device or modalias. */
  async why(subject: string): Promise<Explanation> {
    const [told] = jsonLines<Explanation>(await this.#succeed(`usher why --json '${subject}'`));
    if (told === undefined) throw new Error(`usher why ${subject} said nothing`);
    return told;
  }

  /** /proc/modules, by name. */
  async procModules(): Promise<ReadonlyMap<string, LoadedModule>> {
    const lines = (await this.run('cat /proc/modules')).split('\n').map(line => line.split(' '));
    return new Map(
      lines.map(([name = '', , , users = '-', state = '', , taint = '']) => [
        name,
        {
          state,
          taint: taint.replaceAll(/[()]/g, ''),
          usedBy: users.split(',').filter(user => user !== '' && user !== '-'),
        },
      ]),
    );
  }

  /** The kernel's log since it was last asked for. */
  dmesg(): Promise<string> {
    return this.run('dmesg -c');
  }

  /** All that helps to see what went wrong. */
  async troubleReport(): Promise<string> {
    const { stdout } = await this.machine.run(
      'echo "--- usherd"; tail -12 /run/usherd.log; echo "--- kernel"; dmesg | tail -15',
    );
    return stdout;
  }

  /** Waits until nothing is on its way, neither from the kernel nor to the ledger. */
  async #settle(): Promise<void> {
    await this.run('usher settle >/dev/null');
  }

  /** What `usher history` tells, with a limit, so that the daemon answers. @throws {Error} when that is not all of it */
  async #ledgerRows<Row>(options: string): Promise<readonly Row[]> {
    const rows = jsonLines<Row>(await this.#succeed(`usher history --json -n ${ENTRIES_MAX} ${options}`));
    if (rows.length === ENTRIES_MAX) throw new Error(`usher history ${options} has more than ${ENTRIES_MAX} rows`);
    return rows;
  }

  async #succeed(script: string): Promise<Ran> {
    const ran = await this.machine.run(script);
    if (ran.status !== 0) throw new Error(`status ${ran.status} of: ${script}\n${ran.stdout}${ran.stderr}`);
    return ran;
  }

  #freePort(): number {
    const taken = new Set([...this.#plugged].map(({ port }) => port));
    const free = Array.from({ length: ROOT_PORTS }, (_, n) => n).find(n => !taken.has(n));
    if (free === undefined) throw new Error(`all ${ROOT_PORTS} PCI Express ports are taken`);
    return free;
  }
}

/** Removes what earlier runs have left behind. */
function sweep(): void {
  const names = globSync(['machine-*', `${INDEXED_TREE}*`], { cwd: cacheFolder() });
  for (const dir of names.map(name => path.join(cacheFolder(), name))) {
    const stats = statSync(dir, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > LEFT_BEHIND_MS)
      rmSync(dir, { recursive: true, force: true });
  }
}

/** A shell line that starts the daemon and does not wait for it. What it prints goes to /run/usherd.log. */
export function beginDaemon(...words: readonly string[]): string {
  return `setsid usher daemon ${['--source', 'kernel', ...words].join(' ')} >>/run/usherd.log 2>&1 & echo $! >${PID_FILE}`;
}

/** Sets the shell's `pid` to the daemon's. */
export const DAEMON_PID = `pid=$(cat ${PID_FILE})`;

/** A shell loop that ends when the condition holds, or fails. It asks with what the daemon and its plugins leave of the one processor. */
function untilLoop(condition: string): string {
  return `renice 19 -p $$; n=0; until { ${condition}; } 2>/dev/null; do
    n=$((n + 1)); [ $n -gt ${WAIT_MAX_SECONDS * 20} ] && { echo "never: ${condition.replaceAll(/["$\\]/g, '')}" >&2; exit 1; }
    usleep 50000
  done; renice 0 -p $$`;
}
