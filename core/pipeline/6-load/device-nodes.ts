import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { setLabel } from '../../kernel/device-calls.ts';
import type { LinkChange } from './link-claims.ts';

/** Opens a node without touching what is behind it. Source: open(2), O_PATH and O_NOFOLLOW on all of Linux but alpha, parisc and sparc. */
const O_PATH_NOFOLLOW = 0o10_000_000 | 0o400_000;

const NO_LABELS: ReadonlyMap<string, string> = new Map();

/** A node and whose it is to be; what is undefined stays. */
export interface NodePermissions {
  /** Below the dev root. */
  readonly node: string;
  readonly isBlock: boolean;
  readonly major: number;
  readonly minor: number;
  readonly owner?: number;
  readonly group?: number;
  readonly mode?: number;
  /** Labels by the security module they are for. */
  readonly seclabels?: ReadonlyMap<string, string>;
}

/** Extended attribute a security module keeps its label in. Source: linux/xattr.h. */
const LABEL_ATTRIBUTES: Readonly<Record<string, string>> = {
  selinux: 'security.selinux',
  smack: 'security.SMACK64',
};

/** Why something was not done, for a person. */
export type NodeRefusal = string;

/**
 * Gives a node its owner, group and mode: by a descriptor, through which also the number is looked at, so that a node that has come in the
 * place of another in the meantime is left alone.
 */
export function setPermissions(devRoot: string, wanted: NodePermissions): NodeRefusal | undefined {
  const { node, isBlock, major, minor, seclabels = NO_LABELS } = wanted;
  const saysNothing = [wanted.owner, wanted.group, wanted.mode].every(said => said === undefined);
  if (saysNothing && seclabels.size === 0) return undefined;
  if (!isInside(node)) return `"${node}" would be outside ${devRoot}`;
  const file = path.join(devRoot, node);
  let fd: number;
  try {
    fd = openSync(file, O_PATH_NOFOLLOW);
  } catch (error) {
    return `${file} cannot be opened: ${(error as Error).message}`;
  }
  try {
    const stat = fstatSync(fd);
    const isRight = isBlock ? stat.isBlockDevice() : stat.isCharacterDevice();
    if (!isRight || stat.rdev !== deviceNumber(major, minor)) {
      return `${file} is not the ${isBlock ? 'block' : 'character'} device ${major}:${minor} any more`;
    }
    changePermissions(fd, stat, wanted);
    for (const [module, label] of seclabels) {
      const attribute = LABEL_ATTRIBUTES[module];
      if (attribute === undefined) return `SECLABEL{${module}}: there are selinux and smack`;
      const errno = setLabel(fd, attribute, label);
      if (errno !== undefined) return `${file} did not take the label "${label}" of ${module}: ${errno}`;
    }
    return undefined;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  } finally {
    closeSync(fd);
  }
}

/** Gives a node that is there without its device (OPTIONS+="static_node=NAME") what rules say; one that is not there needs nothing. */
export function setStaticPermissions(
  devRoot: string,
  { node, ...wanted }: Pick<NodePermissions, 'node' | 'owner' | 'group' | 'mode'>,
): NodeRefusal | undefined {
  if (!isInside(node)) return `"${node}" would be outside ${devRoot}`;
  const file = path.join(devRoot, node);
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const fd = openSync(file, O_PATH_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (!stat.isBlockDevice() && !stat.isCharacterDevice()) return `${file} is no device node`;
    changePermissions(fd, stat, wanted);
    return undefined;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  } finally {
    closeSync(fd);
  }
}

/** Through the descriptor, so that it is the very node that was looked at. */
function changePermissions(
  fd: number,
  stat: Stats,
  { owner = stat.uid, group = stat.gid, mode }: Pick<NodePermissions, 'owner' | 'group' | 'mode'>,
): void {
  const byDescriptor = `/proc/self/fd/${fd}`;
  // chown takes the bits of set-uid away, so the mode comes after it.
  if (owner !== stat.uid || group !== stat.gid) chownSync(byDescriptor, owner, group);
  if (mode !== undefined && (stat.mode & 0o7777) !== mode) chmodSync(byDescriptor, mode);
}

/**
 * Makes a link lead where it should, or takes it away. It is made under another name and renamed, so that it is never missing. Only links are
 * replaced, and only those that are ours are taken away; folders on its way are made, and go when they are empty; none of them may be a
 * link itself.
 */
export function changeLink(devRoot: string, { link, node, before }: LinkChange): NodeRefusal | undefined {
  if (!isInside(link) || (node !== undefined && !isInside(node))) return `"${link}" would be outside ${devRoot}`;
  const file = path.join(devRoot, link);
  try {
    if (node === undefined) return removeLink(devRoot, link, before);
    const refusal = makeFolders(devRoot, path.dirname(link)) ?? notALink(file);
    if (refusal !== undefined) return refusal;
    const target = targetOf(link, node);
    if (readLink(file) === target) return undefined;
    const fresh = path.join(path.dirname(file), `.#${path.basename(file)}.${process.pid}`);
    removeQuietly(fresh);
    symlinkSync(target, fresh);
    renameSync(fresh, file);
    return undefined;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  }
}

function removeLink(devRoot: string, link: string, before: string | undefined): undefined {
  const file = path.join(devRoot, link);
  if (before === undefined || readLink(file) !== targetOf(link, before)) return;
  unlinkSync(file);
  for (let folder = path.dirname(link); folder !== '.'; folder = path.dirname(folder)) {
    try {
      rmdirSync(path.join(devRoot, folder));
    } catch {
      return; // Something else is in it.
    }
  }
}

/** `disk/by-id/x` and `sda` → `../../sda`: a link stays right also where /dev is seen elsewhere. */
function targetOf(link: string, node: string): string {
  return path.posix.relative(path.posix.dirname(`/${link}`), `/${node}`);
}

function makeFolders(devRoot: string, folder: string): NodeRefusal | undefined {
  let at = devRoot;
  for (const part of folder === '.' ? [] : folder.split('/')) {
    at = path.join(at, part);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) mkdirSync(at, { mode: 0o755 });
    else if (!stat.isDirectory()) return `${at} is no folder`;
  }
  return undefined;
}

function notALink(file: string): NodeRefusal | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat === undefined || stat.isSymbolicLink() ? undefined : `${file} is there and no link; it is left as it is`;
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // There was none.
  }
}

function isInside(name: string): boolean {
  return (
    name !== '' && !name.startsWith('/') && !name.split('/').some(part => part === '' || part === '.' || part === '..')
  );
}

/** major and minor → dev_t as stat(2) has it. Source: makedev(3), glibc's layout. */
export function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x10_0000 + (major >>> 12) * 0x1000_0000_0000;
}
