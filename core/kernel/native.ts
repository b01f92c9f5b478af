import { existsSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../errors.ts';

/** What the kernel says of a netlink socket that was opened, and the memory its datagrams arrive in. */
export interface NativeNetlink {
  /** Names the socket in `netlinkClose`. */
  readonly id: number;
  readonly fd: number;
  /** Receive buffer as getsockopt(2) tells it: twice what was asked for, unless a limit was in the way. */
  readonly grantedBytes: number;
  /** Which option set it. SO_RCVBUFFORCE goes over net.core.rmem_max and needs CAP_NET_ADMIN. */
  readonly how: 'SO_RCVBUFFORCE' | 'SO_RCVBUF';
  /** nl_pid of the socket; not always the process id. */
  readonly portId: number;
  /** Mask of the groups it listens to. */
  readonly groups: number;
  /** Datagram i of a batch begins at `i * slotBytes`. Overwritten by the next batch. */
  readonly bytes: Buffer;
  /** FACTS numbers per datagram: see `Fact`. */
  readonly facts: Uint32Array;
}

/** Numbers per datagram in `facts`, and their order. `length` is the true one, also when the datagram was cut. */
export const FACTS = 8;
export const Fact = { length: 0, flags: 1, nlPid: 2, nlGroups: 3, family: 4, pid: 5, uid: 6, gid: 7 } as const;
/** Bits of `facts[Fact.flags]`. */
export const FactFlag = { truncated: 1, credentials: 2 } as const;

/** Who holds the other end of a unix socket. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What was in an .xz file. */
export interface DecodedFile {
  readonly bytes: Buffer;
  /** What its CRC-32 must be; undefined where that was looked at. */
  readonly crc32?: number;
}

/** 0, a negative error number, or a positive one where the file was not tried; and the milliseconds the kernel took. */
export type FileAnswer = readonly [status: number, tookMs: number];

/** Why xz-compressed bytes were not decoded. */
export type XzRefusal =
  | 'unreadable'
  | 'not-xz'
  | 'truncated'
  | 'damaged'
  | 'too-large'
  | 'trailing-bytes'
  | 'unsupported'
  | 'needs-too-much-memory'
  | 'out-of-memory'
  | 'no-library';

/**
 * The addon's functions, as they are (core/kernel/addon). A number below zero is a negative error number from the kernel;
 * a wrong argument throws a TypeError. What the rest of the project calls lies in netlink-socket.ts, module-calls.ts, unix-socket.ts,
 * device-calls.ts, memory.ts, small-file.ts, file-lock.ts, write-piece.ts and xz.ts beside this file.
 */
export interface Native {
  netlinkOpen(
    groups: number,
    receiveBufferBytes: number,
    force: boolean,
    slots: number,
    slotBytes: number,
    onWake: (count: number, errno: number) => void,
  ): NativeNetlink | number;
  netlinkAdopt(
    fd: number,
    slots: number,
    slotBytes: number,
    onWake: (count: number, errno: number) => void,
  ): NativeNetlink | number;
  netlinkClose(id: number): boolean;
  netlinkSend(port: number, groups: number, bytes: Uint8Array): number;
  netlinkInject(bytes: Uint8Array): number;
  finitModules(
    files: readonly (string | number)[],
    needs: readonly number[],
    putFd: number,
  ): readonly Promise<FileAnswer>[] | number;
  initModule(image: Uint8Array, parameters: string): Promise<number> | number;
  deleteModule(name: string, flags: number): Promise<number> | number;
  peerCredentials(fd: number): PeerCredentials | number;
  unixSend(address: string, bytes: Uint8Array): number;
  renameInterface(from: string, to: string): number;
  setLabel(fd: number, name: string, label: string): number;
  xzDecode(bytes: Uint8Array, maxBytes: number): Buffer | XzRefusal;
  mapFile(fd: number, sizeBytes: number): ArrayBuffer | number;
  releaseMemory(): number;
  readText(file: string): string | number;
  readTexts(files: readonly string[]): Promise<readonly (string | number)[]> | number;
  writeText(file: string, text: string): Promise<number> | number;
  lockFile(fd: number): number;
  isLocked(fd: number): number;
  writePiece(fd: number, offsetBytes: number, payload: Uint8Array): number;
  xzDecodeFile(
    file: string,
    sizeBytes: number,
    maxBytes: number,
  ): Promise<DecodedFile | XzRefusal | number> | XzRefusal | number;
  xzGiveBack(bytes: Uint8Array): boolean;
}

let loaded: Native | undefined;

/**
 * The addon, loaded on the first call: a verb that needs nothing of it does not pay for it. `USHERD_NATIVE` names another file, which
 * is how the tests run on the sanitized build.
 * @throws {UsherdError} NATIVE_MISSING
 */
export function native(): Native {
  loaded ??= load(nativeFile());
  return loaded;
}

/** The addon where it has been loaded: for what Node can do as well, if not as quickly, and it need not be loaded for. */
export function nativeIfLoaded(): Native | undefined {
  return loaded;
}

/** In the bundle the addon lies beside it; from the sources (core/kernel) it lies in dist. No other place is tried. */
function nativeFile(): string {
  const named = process.env['USHERD_NATIVE'];
  if (named !== undefined && named !== '') return path.resolve(named);
  const here = import.meta.dirname;
  const isSource = here.endsWith(path.join('core', 'kernel'));
  const file = isSource ? path.join(here, '../../dist/usherd.node') : path.join(here, 'usherd.node');
  if (existsSync(file)) return file;
  throw new UsherdError('NATIVE_MISSING', `there is no ${file}`, { file });
}

function load(file: string): Native {
  const holder: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(holder, file);
  } catch (error) {
    throw new UsherdError('NATIVE_MISSING', `${file} cannot be loaded: ${String(error)}`, { file }, error);
  }
  return holder.exports as Native;
}
