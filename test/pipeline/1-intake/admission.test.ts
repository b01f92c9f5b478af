import test from 'ava';
import type { Sender } from '../../../core/kernel/netlink-socket.ts';
import { admit, type Admission, type IntakeGroup } from '../../../core/pipeline/1-intake/admission.ts';

const sender = (nlPid: number, nlGroups: number, credentials: Sender['credentials'], family = 16): Sender => ({
  family,
  nlPid,
  nlGroups,
  credentials,
});
const root = (pid: number): Sender['credentials'] => ({ pid, uid: 0, gid: 0 });
const refused = (reason: string): Admission => ({ kind: 'refused', reason });
const KERNEL: Admission = { kind: 'admitted', origin: { kind: 'kernel' } };

/** Each row of what can arrive, and what becomes of it. Sender facts were observed on a running kernel. */
const ROWS: readonly [title: string, group: IntakeGroup, from: Sender, byDefault: Admission, underTest?: Admission][] =
  [
    ['the kernel', 'kernel', sender(0, 1, root(0)), KERNEL],
    [
      'a process that had the kernel send it',
      'kernel',
      sender(0, 1, root(42)),
      refused('process 42 had the kernel send it; true kernel events have process 0'),
      { kind: 'admitted', origin: { kind: 'injected', pid: 42 } },
    ],
    [
      'root multicasting to the kernel group',
      'kernel',
      sender(4711, 1, root(42)),
      refused("process 42 multicast it from port 4711; the kernel's port is 0"),
    ],
    [
      'root unicasting to our port',
      'kernel',
      sender(4711, 0, root(42)),
      refused('process 42 sent it to our port alone, not to group 1'),
    ],
    [
      'nobody knows whom',
      'kernel',
      sender(0, 1, undefined),
      refused('the kernel attached no credentials of the sender'),
    ],
    [
      'a user who is not root',
      'kernel',
      sender(0, 1, { pid: 0, uid: 65_534, gid: 65_534 }),
      refused('process 0 of user 65534 sent it, not root'),
    ],
    [
      'another address family',
      'kernel',
      sender(0, 1, root(0), 1),
      refused("the sender's address family is 1, not AF_NETLINK"),
    ],
    ['two groups at once', 'kernel', sender(0, 3, root(0)), refused('process 0 sent it to groups 3, not to 1')],
    ['udevd', 'udev', sender(4711, 2, root(99)), { kind: 'admitted', origin: { kind: 'udev', pid: 99 } }],
    [
      'a user who is not root, as udevd',
      'udev',
      sender(4711, 2, { pid: 99, uid: 1000, gid: 1000 }),
      refused('process 99 of user 1000 sent it, not root'),
    ],
    [
      'nobody knows whom, as udevd',
      'udev',
      sender(4711, 2, undefined),
      refused('the kernel attached no credentials of the sender'),
    ],
    [
      'root unicasting as udevd',
      'udev',
      sender(4711, 0, root(99)),
      refused('process 99 sent it to our port alone, not to group 2'),
    ],
    [
      'the kernel in the group of udevd',
      'udev',
      sender(0, 1, root(0)),
      refused('process 0 sent it to groups 1, not to 2'),
    ],
  ];

for (const [title, group, from, byDefault, underTest = byDefault] of ROWS) {
  test(`a datagram from ${title} is ${byDefault.kind}`, t => {
    t.deepEqual(admit(from, { group, acceptInjected: false }), byDefault);
    t.deepEqual(admit(from, { group, acceptInjected: true }), underTest);
  });
}
