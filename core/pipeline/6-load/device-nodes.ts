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
} from 'node:fs';
import path from 'node:path';
import type { LinkChange } from './link-claims.ts';

/** Opens a node without touching what is behind it. Source: open(2), O_PATH and O_NOFOLLOW on all of Linux but alpha, parisc and sparc. */
const O_PATH_NOFOLLOW = 0o10_000_000 | 0o400_000;

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
}

/** Why something was not done, for a person. */
export type NodeRefusal = string;

/**
 * Gives a node its owner, group and mode: by a descriptor, through which also the number is looked at, so that a node that has come in the
 * place of another in the meantime is left alone.
 */
export function setPermissions(devRoot: string, wanted: NodePermissions): NodeRefusal | undefined {
  const { node, isBlock, major, minor, owner, group, mode } = wanted;
  if (owner === undefined && group === undefined && mode === undefined) return undefined;
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
    const byDescriptor = `/proc/self/fd/${fd}`;
    // chown takes the bits of set-uid away, so the mode comes after it.
    if ((owner ?? stat.uid) !== stat.uid || (group ?? stat.gid) !== stat.gid)
      chownSync(byDescriptor, owner ?? stat.uid, group ?? stat.gid);
    if (mode !== undefined && (stat.mode & 0o7777) !== mode) chmodSync(byDescriptor, mode);
    return undefined;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  } finally {
    closeSync(fd);
  }
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
