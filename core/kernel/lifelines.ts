import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { moduleName } from '../vocabulary/module-name.ts';
import { parseDevpath, type Devpath } from '../vocabulary/devpath.ts';
import { chainOf, isLoadable, type ModuleLink } from './driver-modules.ts';
import { readSmallFile } from './small-file.ts';
import type { SystemRoot } from './system-root.ts';

/** What a person, or the machine itself, cannot do without, and the modules it works by. */
export interface Lifeline {
  readonly kind: 'keyboard' | 'root disk' | 'network link';
  /** What it is called: a keyboard's own name, a disk, an interface. */
  readonly name: string;
  readonly links: readonly ModuleLink[];
}

/** Disks that are made of disks, one inside the other; a real stack (a file system on a crypt on a volume on a raid) has four. */
const STACK_MAX_DEPTH = 16;

/** Modules an alias stands for: the file system's are found by it. */
export type LookUp = (alias: string) => readonly ModuleLink['module'][];

/** Every lifeline of the machine as /sys and /proc show it now. What is part of the kernel itself is not named: it cannot go. */
export function readLifelines(roots: Pick<SystemRoot, 'sys' | 'proc'>, lookUp: LookUp): readonly Lifeline[] {
  return [...keyboards(roots), ...rootDisk(roots, lookUp), ...networkLinks(roots)];
}

/** Input devices that have all of the first 31 keys: Esc, digits, letters. Source: udev's rule for ID_INPUT_KEYBOARD. */
function keyboards(roots: Pick<SystemRoot, 'sys'>): readonly Lifeline[] {
  return list(`${roots.sys}/class/input`).flatMap(entry => {
    const devpath = /^input\d+$/.test(entry) ? devpathOf(roots, `class/input/${entry}`) : undefined;
    if (devpath === undefined || devpath.startsWith('/devices/virtual/')) return [];
    const keys = readSmallFile(`${roots.sys}${devpath}/capabilities/key`)?.trim().split(' ').at(-1) ?? '';
    const first = /^[0-9a-f]{1,16}$/.test(keys) ? BigInt(`0x${keys}`) : 0n;
    if ((first & FIRST_KEYS) !== FIRST_KEYS) return [];
    const name = readSmallFile(`${roots.sys}${devpath}/name`)?.trim() ?? entry;
    return [{ kind: 'keyboard' as const, name, links: chainOf(roots, devpath) }];
  });
}

const FIRST_KEYS = 0xffff_fffen;

/** Interfaces that are up and are a device's, not made of others. */
function networkLinks(roots: Pick<SystemRoot, 'sys'>): readonly Lifeline[] {
  return list(`${roots.sys}/class/net`).flatMap(name => {
    const devpath = devpathOf(roots, `class/net/${name}`);
    const isUp = readSmallFile(`${roots.sys}/class/net/${name}/operstate`)?.trim() === 'up';
    if (devpath === undefined || !isUp || devpath.startsWith('/devices/virtual/')) return [];
    return [{ kind: 'network link' as const, name, links: chainOf(roots, devpath) }];
  });
}

/** What / is on: its disk down to the controller, what that disk is made of, and the file system. */
function rootDisk(roots: Pick<SystemRoot, 'sys' | 'proc'>, lookUp: LookUp): readonly Lifeline[] {
  const mount = rootMount(roots.proc);
  if (mount === undefined) return [];
  const place = mount.number.startsWith('0:')
    ? `class/block/${path.basename(mount.source)}`
    : `dev/block/${mount.number}`;
  const devpath = devpathOf(roots, place);
  const fileSystem = lookUp(`fs-${mount.type}`).map(module => ({ module }));
  const links = [...(devpath === undefined ? [] : stackOf(roots, devpath, 0)), ...fileSystem];
  return [{ kind: 'root disk', name: mount.source, links: links.filter(({ module }) => isLoadable(roots, module)) }];
}

function stackOf(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath, depth: number): readonly ModuleLink[] {
  if (depth >= STACK_MAX_DEPTH) return [];
  const folder = `${roots.sys}${devpath}`;
  const below = list(`${folder}/slaves`).flatMap(name => {
    const slave = devpathOf(roots, `${devpath.slice(1)}/slaves/${name}`);
    return slave === undefined ? [] : stackOf(roots, slave, depth + 1);
  });
  const uuid = readSmallFile(`${folder}/dm/uuid`);
  const level = readSmallFile(`${folder}/md/level`)?.trim();
  const names = [
    ...(uuid === undefined ? [] : ['dm_mod', ...(uuid.startsWith('CRYPT-') ? ['dm_crypt'] : [])]),
    ...(level === undefined ? [] : ['md_mod', /^raid[456]$/.test(level) ? 'raid456' : level]),
  ];
  return [...chainOf(roots, devpath), ...names.map(name => ({ module: moduleName(name) })), ...below];
}

interface Mount {
  readonly number: string;
  readonly type: string;
  readonly source: string;
}

/** The mount at / that was made last. Source: proc(5), /proc/pid/mountinfo. */
function rootMount(proc: string): Mount | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(proc, 'self/mountinfo'), 'utf8');
  } catch {
    return undefined;
  }
  const mounts = text.split('\n').flatMap((line): readonly Mount[] => {
    const [, , number = '', , point, ...rest] = line.split(' ');
    const [type, source] = rest.slice(rest.indexOf('-') + 1);
    return point === '/' && type !== undefined && source !== undefined ? [{ number, type, source }] : [];
  });
  return mounts.at(-1);
}

function devpathOf({ sys }: Pick<SystemRoot, 'sys'>, place: string): Devpath | undefined {
  try {
    const real = realpathSync(path.join(sys, place));
    return parseDevpath(real.slice(realpathSync(sys).length));
  } catch {
    return undefined;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
