import { readFileSync } from 'node:fs';
import type { SystemRoot } from './system-root.ts';

/** Protocol number of uevent sockets. Source: linux/netlink.h. */
const NETLINK_KOBJECT_UEVENT = 15;

/**
 * How many datagrams the kernel has dropped on the uevent socket with this port since it was opened, or undefined when /proc does not
 * tell. Exact, where ENOBUFS only says "some".
 */
export function netlinkDrops(root: Pick<SystemRoot, 'proc'>, portId: number): bigint | undefined {
  try {
    // Not /proc/net, which is a link to /proc/self/net all the same, but is missing where proc is mounted with subset=pid.
    return parseNetlinkDrops(readFileSync(`${root.proc}/self/net/netlink`, 'latin1'), portId);
  } catch {
    return undefined;
  }
}

/**
 * Text of /proc/net/netlink → the Drops of one uevent socket, or undefined when it has no line.
 * Shape: a heading, then one line a socket: `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`; Eth is the protocol, Pid the port.
 * Source: net/netlink/af_netlink.c, netlink_native_seq_show.
 */
export function parseNetlinkDrops(text: string, portId: number): bigint | undefined {
  for (const line of text.split('\n')) {
    const fields = line.split(/ +/);
    if (Number(fields[1]) !== NETLINK_KOBJECT_UEVENT || Number(fields[2]) !== portId) continue;
    const drops = fields[8] ?? '';
    return /^[0-9]{1,20}$/.test(drops) ? BigInt(drops) : undefined;
  }
  return undefined;
}
