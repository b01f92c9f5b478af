import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeRepository, openFolder, stageApt, type MadePackage, type RepositoryOptions } from './apt-world.ts';
import { jsonLines, usher, type Ran } from './usher.ts';

/** The device of these worlds, and a pattern that names it. */
export const DEVICE = '0000:00:05.0';
export const PATTERN = 'pci:v00001234d000011E8sv*sd*bc*sc*i*';
export const RELEASE = '6.1.0-56-amd64';
const MODALIAS = 'pci:v00001234d000011E8sv00001AF4sd00001100bc00scFFi00';

/** What `usher driver list --json` tells, as far as tests look at it. */
export interface ToldTransaction {
  readonly id: string;
  readonly state: string;
  readonly step: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly before?: string }[];
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  readonly consent: { readonly how: string };
  readonly trouble?: { readonly step: string; readonly message: string; readonly log?: string };
  readonly recoveredAt?: string;
}

/** Fields of a package that claims the device. */
export function claims(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { Section: 'non-free/kernel', Modaliases: `acme(${PATTERN})`, ...more };
}

/** A root with a device, a module tree, and an apt that knows one repository: real apt and dpkg of this machine work on it. */
export class DriverWorld {
  readonly release: string;
  readonly root = openFolder('usherd-root-');
  readonly repository = openFolder('usherd-repository-');

  constructor(
    packages: readonly MadePackage[],
    options: Partial<RepositoryOptions> & { uri?: string; sourceOptions?: string; release?: string } = {},
  ) {
    const { uri = `file:${this.repository}`, sourceOptions = '', release = RELEASE, ...rest } = options;
    this.release = release;
    const key = makeRepository(this.repository, { packages, ...rest });
    stageApt(this.root, { uri, key, options: sourceOptions });
    this.put(`sys/devices/pci0000:00/${DEVICE}/uevent`, `SUBSYSTEM=pci\nMODALIAS=${MODALIAS}\n`);
    for (const name of ['modules.order', 'modules.builtin']) this.put(`lib/modules/${release}/${name}`, '');
    mkdirSync(path.join(this.root, 'proc'));
  }

  put(file: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
    writeFileSync(path.join(this.root, file), content);
  }

  /** Has apt read the repository's indexes. */
  update(...options: readonly string[]): void {
    execFileSync('apt-get', ['update', ...options], { stdio: 'ignore', env: this.#aptEnv() });
  }

  /** The same while this process goes on. */
  async updateAside(): Promise<void> {
    await promisify(execFile)('apt-get', ['update'], { env: this.#aptEnv() });
  }

  /** What an administrator does without usher. */
  installByHand(...packages: readonly string[]): void {
    execFileSync('apt-get', ['-y', 'install', ...packages], { stdio: 'ignore', env: this.#aptEnv() });
  }

  purgeByHand(...packages: readonly string[]): void {
    execFileSync('apt-get', ['-y', 'purge', ...packages], { stdio: 'ignore', env: this.#aptEnv() });
  }

  /** Installs a package by hand that holds dpkg's lock from tmp/held being there until tmp/let-go is. */
  async holdLock(name: string): Promise<void> {
    // Bounded, so that a test that is killed leaves nothing behind that waits for ever: 20 times a second, a minute.
    const wait = `touch ${this.root}/tmp/held; n=0; while [ $n -lt 1200 ] && ! [ -e ${this.root}/tmp/let-go ]; do sleep 0.05; n=$((n + 1)); done`;
    const words = ['-y', '-o', `DPkg::Pre-Invoke::=${wait}`, 'install', name];
    await promisify(execFile)('apt-get', words, { env: this.#aptEnv() });
  }

  #aptEnv(): NodeJS.ProcessEnv {
    const config = path.join(this.root, 'etc/apt/root.conf');
    const lines = [
      `Dir "${this.root}";`,
      `Dir::State::status "${this.root}/var/lib/dpkg/status";`,
      'Dir::Bin::methods "/usr/lib/apt/methods";',
      `DPkg::Options { "--root=${this.root}"; "--force-not-root"; "--log=${this.root}/var/log/dpkg.log"; };`,
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    return { ...process.env, APT_CONFIG: config };
  }

  usher(...words: readonly string[]): Promise<Ran> {
    return usher(...words, '--root', this.root, '--kernel', this.release);
  }

  install(...words: readonly string[]): Promise<Ran> {
    return this.usher('driver', 'install', DEVICE, ...words);
  }

  async transactions(): Promise<readonly ToldTransaction[]> {
    return jsonLines<ToldTransaction>(await this.usher('driver', 'list', '--all', '--json'));
  }

  /** What must be as before once all is taken back: packages, files of modules, and what the indexes say. */
  state(): string {
    const script = `dpkg-query --admindir="$1/var/lib/dpkg" -W 2>/dev/null
      cd "$1" && find lib/modules usr opt etc/modprobe.d var/cache/usherd 2>/dev/null \\( -type f -o -type l \\) | grep -v 'modules\\.' | sort
      cat lib/modules/*/modules.dep lib/modules/*/modules.alias 2>/dev/null | grep -v '^#'; true`;
    return execFileSync('sh', ['-c', script, 'sh', this.root], { encoding: 'utf8' });
  }

  remove(): void {
    for (const dir of [this.root, this.repository]) rmSync(dir, { recursive: true, force: true });
  }
}
