import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ran } from '../support/usher.ts';
import { Qmp } from './qmp.ts';

/** These bounds only keep a hang from lasting for ever: an emulated machine on a busy host is slow, and no test measures by them. */
const BOOT_MAX_MS = 180_000;
const SOCKET_MAX_MS = 20_000;
const COMMAND_MAX_SECONDS = 300;
/** More than the agent's own bound, so that its answer comes first. */
const ANSWER_MAX_MS = (COMMAND_MAX_SECONDS + 30) * 1000;
const QUIT_MAX_MS = 2000;

/** PCI Express ports a device can be plugged into; the guest's firmware makes each a bus of its own. */
export const ROOT_PORTS = 6;
const DISK_BYTES = 16 * 1024 * 1024;
/** Node, the module tree's pages and what the tests load; 256 would do. */
const MEMORY_MIB = 640;

export interface MachineOptions {
  /** A folder of this machine's own; it ends with it. */
  readonly dir: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
  /** Added to the kernel's command line. */
  readonly commandLine?: readonly string[];
  /** One when nothing is said. */
  readonly processors?: number | undefined;
  /** Devices of the board beside the usual ones, as QEMU's -device takes them. */
  readonly boardDevices?: readonly string[];
}

/** A machine that QEMU emulates, with an agent in it that runs what it is told. */
export class Machine {
  readonly qmp: Qmp;
  readonly dir: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #agent: Socket;
  readonly #running = new Map<number, PromiseWithResolvers<number>>();
  #lastCommand = 0;

  private constructor(
    dir: string,
    child: ChildProcess,
    exited: Promise<unknown>,
    { agent, qmp }: { agent: Socket; qmp: Qmp },
  ) {
    this.dir = dir;
    this.#process = child;
    this.#exited = exited;
    this.#agent = agent;
    this.qmp = qmp;
    child.once('exit', () => {
      for (const { reject } of this.#running.values()) reject(new Error('the machine ended while a command ran'));
    });
  }

  /** @throws {Error} with the end of the kernel's log when the guest does not come up */
  static async boot(options: MachineOptions): Promise<Machine> {
    const { dir } = options;
    for (const disk of DISKS) {
      writeFileSync(path.join(dir, `${disk}.img`), '');
      truncateSync(path.join(dir, `${disk}.img`), DISK_BYTES);
    }
    const log = openSync(path.join(dir, 'qemu.log'), 'w');
    // QEMU would outlive a test that is killed; so it asks the kernel to be killed with it.
    const words = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...qemuWords(options)];
    const child = spawn('setpriv', words, { stdio: ['ignore', log, log] });
    const exited = once(child, 'exit');
    try {
      const agent = await connected(path.join(dir, 'agent.sock'));
      const qmp = await Qmp.greet(await connected(path.join(dir, 'qmp.sock')));
      const machine = new Machine(dir, child, exited, { agent, qmp });
      await machine.#untilReady();
      return machine;
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`the machine did not come up: ${(error as Error).message}\n${consoleTail(dir)}`, {
        cause: error,
      });
    }
  }

  /** Runs a shell script in the guest, as root. */
  async run(script: string): Promise<Ran> {
    const number = (this.#lastCommand += 1);
    const at = (ending: string): string => path.join(this.dir, 'host', `${number}.${ending}`);
    writeFileSync(at('sh'), script);
    const answer = Promise.withResolvers<number>();
    this.#running.set(number, answer);
    this.#agent.write(`${number} ${COMMAND_MAX_SECONDS}\n`);
    const status = await bounded(answer.promise, ANSWER_MAX_MS, `no answer to: ${script}`);
    this.#running.delete(number);
    const ran = { status, stdout: readFileSync(at('out'), 'utf8'), stderr: readFileSync(at('err'), 'utf8') };
    for (const ending of ['sh', 'out', 'err']) rmSync(at(ending));
    return ran;
  }

  /** Most memory QEMU had, in bytes. Source: proc(5), VmHWM. */
  peakBytes(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'latin1');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  consoleTail(): string {
    return consoleTail(this.dir);
  }

  /** Ends the machine; once it has, again does nothing. */
  async stop(): Promise<void> {
    void this.qmp.execute('quit').catch(() => {});
    await Promise.race([this.#exited, pause(QUIT_MAX_MS, undefined, { ref: false })]);
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async #untilReady(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    createInterface({ input: this.#agent })
      .on('line', line => {
        const [word, number, status] = line.trim().split(' ');
        if (word === 'ready') ready.resolve();
        if (word === 'done') this.#running.get(Number(number))?.resolve(Number(status));
      })
      .on('error', () => {});
    this.#process.once('exit', () =>
      ready.reject(new Error(`QEMU ended: ${readFileSync(path.join(this.dir, 'qemu.log'), 'utf8')}`)),
    );
    await bounded(ready.promise, BOOT_MAX_MS, 'no word of its agent');
  }
}

const DISKS = ['stick', 'uas', 'nvme', 'spare'] as const;

/**
 * KVM only when somebody asks: its device being there proves nothing, a nested one may hang after it has opened. An emulated processor
 * is one without ERMS: with it the kernel clears and copies memory by an instruction that is emulated byte by byte, 0.2 s for a large page.
 */
function processor(): readonly string[] {
  return process.env['USHERD_VM_ACCEL'] === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'max']
    : ['-accel', 'tcg', '-cpu', 'max,-erms'];
}

function qemuWords({
  dir,
  kernel,
  initrd,
  root,
  commandLine = [],
  boardDevices = [],
  processors = 1,
}: MachineOptions): readonly string[] {
  const append = 'console=ttyS0 quiet loglevel=7 panic=-1 tsc=reliable mitigations=off random.trust_cpu=on'.split(' ');
  const socket = (name: string): string => `path=${dir}/${name}.sock,server=on,wait=off`;
  const share = (tag: string, folder: string, more: string): string[] => [
    '-fsdev',
    `local,id=${tag},path=${folder},security_model=none,multidevs=remap${more}`,
    '-device',
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
  const ports = Array.from({ length: ROOT_PORTS }, (_, n) => [
    '-device',
    `pcie-root-port,id=port${n},bus=pcie.0,chassis=${n + 1},slot=${n + 1},addr=${(0x10 + n).toString(16)}.0`,
  ]);
  return [
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    '-display',
    'none',
    '-M',
    'q35,i8042=off,vmport=off,hpet=off',
    ...boardDevices.flatMap(device => ['-device', device]),
    ...processor(),
    '-smp',
    String(processors),
    '-m',
    String(MEMORY_MIB),
    '-kernel',
    kernel,
    '-initrd',
    initrd,
    '-append',
    [...append, ...commandLine].join(' '),
    '-serial',
    `file:${dir}/console.log`,
    '-chardev',
    `socket,id=agent,${socket('agent')}`,
    '-serial',
    'chardev:agent',
    '-qmp',
    `unix:${dir}/qmp.sock,server=on,wait=off`,
    ...share('root', root, ',readonly=on'),
    ...share('host', path.join(dir, 'host'), ''),
    ...ports.flat(),
    '-device',
    'qemu-xhci,id=xhci,p2=15,p3=15,addr=1e.0',
    ...DISKS.flatMap(disk => [
      '-blockdev',
      `driver=raw,node-name=${disk},file.driver=file,file.filename=${dir}/${disk}.img`,
    ]),
    ...[0, 1, 2, 3].flatMap(n => ['-netdev', `hubport,id=net${n},hubid=${n}`]),
    '-audiodev',
    'none,id=sound',
    '-chardev',
    'null,id=nowhere',
    '-object',
    'rng-random,id=random,filename=/dev/urandom',
  ];
}

function consoleTail(dir: string): string {
  try {
    return readFileSync(path.join(dir, 'console.log'), 'latin1').split('\n').slice(-25).join('\n');
  } catch {
    return '(no kernel log)';
  }
}

async function connected(file: string): Promise<Socket> {
  const until = performance.now() + SOCKET_MAX_MS;
  for (;;) {
    const socket = connect(file);
    try {
      await once(socket, 'connect');
      socket.on('error', () => {});
      return socket;
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(10);
    }
  }
}

async function bounded<T>(promise: Promise<T>, maxMs: number, what: string): Promise<T> {
  const timer = new AbortController();
  const late = pause(maxMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} within ${maxMs / 1000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
