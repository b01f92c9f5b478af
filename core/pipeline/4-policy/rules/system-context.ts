import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SystemRoot } from '../../../kernel/system-root.ts';
import type { Hwdb } from './hwdb/hwdb.ts';
import { openHwdb } from './hwdb/open-hwdb.ts';
import { readConstant } from './constants.ts';
import type { RuleContext, RuleDevice, StoredDevice } from './rule-context.ts';
import { SysfsRuleDevice } from './sysfs-rule-device.ts';
import { readDatabase } from './udev-database.ts';

/** Largest file an IMPORT{file} or SYSCTL reads, in bytes. */
const FILE_MAX_BYTES = 1024 * 1024;

type Roots = Pick<SystemRoot, 'root' | 'sys' | 'proc' | 'dev' | 'run'>;

/** What rules see of the running system, or of a folder that stands for one. What does not change while it runs is read once. */
export class SystemContext implements RuleContext {
  readonly devRoot: string;
  readonly sysRoot: string;
  readonly #roots: Roots;
  readonly #stored: ((device: RuleDevice) => StoredDevice | undefined) | undefined;
  #hwdb: Hwdb | null | undefined;
  #users: ReadonlyMap<string, number> | undefined;
  #groups: ReadonlyMap<string, number> | undefined;
  #bootParameters: ReadonlyMap<string, string> | undefined;
  readonly #constants = new Map<string, string | undefined>();

  /** @param stored what earlier events left; by default udevd's database */
  constructor(roots: Roots, stored?: (device: RuleDevice) => StoredDevice | undefined) {
    this.#roots = roots;
    this.#stored = stored;
    this.devRoot = roots.dev;
    this.sysRoot = roots.sys;
  }

  device(subsystem: string, sysname: string): RuleDevice | undefined {
    const { sys } = this.#roots;
    const name = sysname.replaceAll('/', '!');
    const [bus, driver] = sysname.split(/:(.*)/s, 2);
    const places =
      subsystem === 'module'
        ? [`/module/${name}`]
        : subsystem === 'subsystem'
          ? [`/subsystem/${name}`, `/bus/${name}`, `/class/${name}`]
          : subsystem === 'drivers' && driver !== undefined
            ? [`/bus/${bus}/drivers/${driver}`]
            : [
                `/subsystem/${subsystem}/devices/${name}`,
                `/bus/${subsystem}/devices/${name}`,
                `/class/${subsystem}/${name}`,
                `/firmware/${subsystem}/${name}`,
              ];
    const place = places.find(candidate => !candidate.includes('/../') && existsSync(sys + candidate));
    if (place === undefined) return undefined;
    const devpath = realpathSync(sys + place).slice(realpathSync(sys).length);
    return new SysfsRuleDevice(sys, devpath);
  }

  stored(device: RuleDevice): StoredDevice | undefined {
    return this.#stored === undefined ? this.udevsOf(device) : this.#stored(device);
  }

  /** What udevd's database has of a device. */
  udevsOf(device: RuleDevice): StoredDevice | undefined {
    return readDatabase(this.#roots.run, device);
  }

  userId(name: string): number | undefined {
    this.#users ??= readIds(path.join(this.#roots.root, 'etc/passwd'));
    return this.#users.get(name);
  }

  groupId(name: string): number | undefined {
    this.#groups ??= readIds(path.join(this.#roots.root, 'etc/group'));
    return this.#groups.get(name);
  }

  readFile(file: string): string | undefined {
    try {
      return readFileSync(file, 'utf8').slice(0, FILE_MAX_BYTES);
    } catch {
      return undefined;
    }
  }

  fileMode(file: string): number | undefined {
    return statSync(file, { throwIfNoEntry: false })?.mode;
  }

  list(folder: string): readonly string[] {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  }

  sysctl(name: string): string | undefined {
    const file = path.join(this.#roots.proc, 'sys', path.posix.normalize(`/${name}`));
    return this.readFile(file);
  }

  bootParameter(name: string): string | undefined {
    this.#bootParameters ??= readBootParameters(this.readFile(path.join(this.#roots.proc, 'cmdline')) ?? '');
    return this.#bootParameters.get(name.replaceAll('-', '_'));
  }

  constant(name: string): string | undefined {
    if (!this.#constants.has(name)) this.#constants.set(name, readConstant(name));
    return this.#constants.get(name);
  }

  hwdb(): Hwdb | undefined {
    if (this.#hwdb === undefined) this.#hwdb = openHwdb(this.#roots.root) ?? null;
    return this.#hwdb ?? undefined;
  }
}

/** /etc/passwd or /etc/group → name and number. Source: passwd(5), group(5). */
function readIds(file: string): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A system without the file knows no names.
  }
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':', 3);
    if (name !== '' && /^[0-9]{1,10}$/.test(id) && !ids.has(name)) ids.set(name, Number(id));
  }
  return ids;
}

/** The kernel command line → its words; one without a `=` is `1`. `-` and `_` are the same in names. Source: bootparam(7). */
export function readBootParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [word] of text.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
    const plain = word.replaceAll('"', '');
    const equals = plain.indexOf('=');
    const name = (equals < 0 ? plain : plain.slice(0, equals)).replaceAll('-', '_');
    parameters.set(name, equals < 0 ? '1' : plain.slice(equals + 1));
  }
  return parameters;
}
