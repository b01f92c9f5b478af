import { UsherdError } from '../errors.ts';
import { errnoName, errnoText } from '../vocabulary/errno.ts';
import { Fact, FactFlag, FACTS, native, type NativeNetlink } from './native.ts';

/** Multicast groups of NETLINK_KOBJECT_UEVENT, as bits: 1 is the kernel, 2 is udevd after its rules (libudev-monitor). */
export const NetlinkGroup = { kernel: 1, udev: 2 } as const;

/** A kernel's message has at most 2,048 bytes of variables after its header, which repeats a devpath of at most 4,096. */
const KERNEL_SLOT_BYTES = 8 * 1024;
const KERNEL_SLOTS = 128;
/** udevd's property lists have no limit (its own tests carry 10,000 tags); what is longer than this is told as truncated. */
const UDEV_SLOT_BYTES = 128 * 1024;
const UDEV_SLOTS = 16;

/** 128 MiB, a limit and not memory in use: it holds some 317,000 events while the event loop is busy; the default holds 249. */
export const RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024;

export interface NetlinkOptions {
  readonly groups: number;
  readonly receiveBufferBytes?: number;
  /** Go over net.core.rmem_max where we may. On by default. */
  readonly force?: boolean;
  /** A bound socket somebody opened for us (systemd's ListenNetlink=); `groups` then only chooses the size of the slots. */
  readonly adoptFd?: number;
}

/** What a socket tells its owner. Nothing is called after `close`. */
export interface NetlinkListener {
  /** Datagrams, in the order they came. The batch and its bytes are good only until this returns. */
  batch(batch: NetlinkBatch): void;
  /** The kernel dropped datagrams, because the socket's buffer was full, and may drop more. The socket goes on. */
  overrun(): void;
  /** The first time the buffer was read empty after an overrun: the number of drops is final, the next one is told anew. */
  drained(): void;
  /** Reading failed in a way that is not an overrun: a negative answer that will come again. */
  failed(error: UsherdError): void;
}

/** Some datagrams in one piece of memory, with who sent each. Indices run from 0 to `count - 1`. */
export class NetlinkBatch {
  readonly bytes: Buffer;
  count = 0;
  readonly #facts: Uint32Array;
  readonly #slotBytes: number;

  constructor(bytes: Buffer, facts: Uint32Array, slotBytes: number) {
    this.bytes = bytes;
    this.#facts = facts;
    this.#slotBytes = slotBytes;
  }

  /** Offset of datagram `index` in `bytes`. */
  start(index: number): number {
    return index * this.#slotBytes;
  }

  /** Offset after its last byte that is there. */
  end(index: number): number {
    return index * this.#slotBytes + Math.min(this.#fact(index, Fact.length), this.#slotBytes);
  }

  /** Whether the datagram was longer than its slot; its bytes must not be made sense of. */
  isTruncated(index: number): boolean {
    return (this.#fact(index, Fact.flags) & FactFlag.truncated) !== 0;
  }

  /** Who sent it. `credentials` is undefined when the kernel attached none. */
  sender(index: number): Sender {
    const hasCredentials = (this.#fact(index, Fact.flags) & FactFlag.credentials) !== 0;
    return {
      family: this.#fact(index, Fact.family),
      nlPid: this.#fact(index, Fact.nlPid),
      nlGroups: this.#fact(index, Fact.nlGroups),
      credentials: hasCredentials
        ? { pid: this.#fact(index, Fact.pid), uid: this.#fact(index, Fact.uid), gid: this.#fact(index, Fact.gid) }
        : undefined,
    };
  }

  #fact(index: number, fact: number): number {
    return this.#facts[index * FACTS + fact] ?? 0;
  }
}

/** Sender of a datagram: the sockaddr_nl it came with, and SCM_CREDENTIALS, which the kernel fills in. Source: netlink(7), unix(7). */
export interface Sender {
  /** AF_NETLINK (16) on every true datagram. */
  readonly family: number;
  /** Port of the sending socket; 0 is the kernel. */
  readonly nlPid: number;
  /** Groups it was multicast to; 0 when it was sent to our port alone. */
  readonly nlGroups: number;
  readonly credentials: { readonly pid: number; readonly uid: number; readonly gid: number } | undefined;
}

/** An open socket. Keeps the process alive until it is closed. */
export interface NetlinkSocket {
  readonly fd: number;
  readonly portId: number;
  readonly groups: number;
  readonly grantedBytes: number;
  readonly how: NativeNetlink['how'];
  close(): void;
}

/**
 * Opens (or adopts) a uevent socket and tells `listener` what arrives.
 * @throws {UsherdError} NETLINK_UNAVAILABLE, NATIVE_MISSING
 */
export function openNetlink(options: NetlinkOptions, listener: NetlinkListener): NetlinkSocket {
  const { groups, receiveBufferBytes = RECEIVE_BUFFER_BYTES, force = true, adoptFd } = options;
  const isKernel = groups === NetlinkGroup.kernel;
  const slots = isKernel ? KERNEL_SLOTS : UDEV_SLOTS;
  const slotBytes = isKernel ? KERNEL_SLOT_BYTES : UDEV_SLOT_BYTES;
  const onWake = (count: number, errno: number): void => {
    if (errno === 0 && count === 0) listener.drained();
    else if (errno === 0) {
      batch.count = count;
      listener.batch(batch);
    } else if (errnoName(errno) === 'ENOBUFS') listener.overrun();
    else listener.failed(unavailable(`reading the uevent socket failed`, errno));
  };
  const opened =
    adoptFd === undefined
      ? native().netlinkOpen(groups, receiveBufferBytes, force, slots, slotBytes, onWake)
      : native().netlinkAdopt(adoptFd, slots, slotBytes, onWake);
  if (typeof opened === 'number') throw unavailable(`opening a uevent socket for groups ${groups} failed`, -opened);
  // The addon calls onWake from the event loop only, so never before this line.
  const batch = new NetlinkBatch(opened.bytes, opened.facts, slotBytes);
  const { id, fd, portId, grantedBytes, how } = opened;
  return { fd, portId, groups: opened.groups, grantedBytes, how, close: () => void native().netlinkClose(id) };
}

function unavailable(what: string, errno: number): UsherdError {
  const name = errnoName(errno);
  return new UsherdError('NETLINK_UNAVAILABLE', `${what}: ${name}, ${errnoText(name)}`, { errno: name });
}
