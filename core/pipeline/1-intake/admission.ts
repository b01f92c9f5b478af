import { NetlinkGroup, type Sender } from '../../kernel/netlink-socket.ts';
import type { Origin } from './uevent.ts';

/** Which of the two multicast groups a source listens to. */
export type IntakeGroup = keyof typeof NetlinkGroup;

/** Whether a datagram's sender may tell us of uevents: as whom it counts, or why not. */
export type Admission =
  | { readonly kind: 'admitted'; readonly origin: Origin }
  | { readonly kind: 'refused'; readonly reason: string };

/** Source: linux/socket.h. */
const AF_NETLINK = 16;

interface Check {
  /** True when the sender is in order. Checks run top down, so each may take the ones above it for granted. */
  passes(sender: Sender): boolean;
  reason(sender: Sender): string;
}

const pidOf = (sender: Sender): number => sender.credentials?.pid ?? -1;
const uidOf = (sender: Sender): number => sender.credentials?.uid ?? -1;

const IS_NETLINK: Check = {
  passes: sender => sender.family === AF_NETLINK,
  reason: sender => `the sender's address family is ${sender.family}, not AF_NETLINK`,
};
/** Without this, anybody who may send to our port would be the kernel (CVE-2009-1185, CVE-2012-3520). */
const HAS_CREDENTIALS: Check = {
  passes: sender => sender.credentials !== undefined,
  reason: () => 'the kernel attached no credentials of the sender',
};
const IS_MULTICAST_TO = (group: IntakeGroup): Check => ({
  passes: sender => sender.nlGroups === NetlinkGroup[group],
  reason: sender =>
    sender.nlGroups === 0
      ? `process ${pidOf(sender)} sent it to our port alone, not to group ${NetlinkGroup[group]}`
      : `process ${pidOf(sender)} sent it to groups ${sender.nlGroups}, not to ${NetlinkGroup[group]}`,
});
const IS_FROM_KERNEL_PORT: Check = {
  passes: sender => sender.nlPid === 0,
  reason: sender => `process ${pidOf(sender)} multicast it from port ${sender.nlPid}; the kernel's port is 0`,
};
const IS_ROOT: Check = {
  passes: sender => uidOf(sender) === 0,
  reason: sender => `process ${pidOf(sender)} of user ${uidOf(sender)} sent it, not root`,
};

const CHECKS: Readonly<Record<IntakeGroup, readonly Check[]>> = {
  kernel: [IS_NETLINK, HAS_CREDENTIALS, IS_MULTICAST_TO('kernel'), IS_FROM_KERNEL_PORT, IS_ROOT],
  udev: [IS_NETLINK, HAS_CREDENTIALS, IS_MULTICAST_TO('udev'), IS_ROOT],
};

const FROM_KERNEL: Admission = { kind: 'admitted', origin: { kind: 'kernel' } };

/**
 * A datagram's sender → as whom it is admitted to `group`, or why it is not.
 * The kernel re-sends what a process writes to its uevent port, with its own port 0 and uid 0: only the credentials' pid tells that
 * from a true event. Such an event is refused unless `acceptInjected`, which is for tests. Source: lib/kobject_uevent.c,
 * uevent_net_rcv_skb; netlink(7).
 */
export function admit(
  sender: Sender,
  { group, acceptInjected }: { group: IntakeGroup; acceptInjected: boolean },
): Admission {
  for (const check of CHECKS[group]) {
    if (!check.passes(sender)) return { kind: 'refused', reason: check.reason(sender) };
  }
  const pid = pidOf(sender);
  if (group === 'udev') return { kind: 'admitted', origin: { kind: 'udev', pid } };
  if (pid === 0) return FROM_KERNEL;
  if (acceptInjected) return { kind: 'admitted', origin: { kind: 'injected', pid } };
  return { kind: 'refused', reason: `process ${pid} had the kernel send it; true kernel events have process 0` };
}
