import { jsonLines } from '../support/usher.ts';
import type { Guest } from './guest.ts';
import { guestFor } from './scenario.ts';
import { stageModprobeLink, stageProgram } from './staged-root.ts';

/** A request as `usher history --requests --json` prints it. */
interface Request {
  readonly asker: string;
  readonly asked: string;
  readonly result?: string;
}

/** What the kernel may be told to run when it wants a module: the helper that asks the daemon, and usher's own modprobe. */
const LOADERS = {
  'the helper': '/usr/lib/usherd/bin/usher-modprobe',
  'usher’s modprobe': '/usr/lib/usherd/bin/modprobe',
};

/** PF_CAN, SOCK_RAW and CAN_RAW: the kernel asks for the family by `net-pf-29`, for the protocol by `can-proto-1`. */
const CAN = { family: 29, raw: 3, protocol: 1 };

const scenario = await guestFor({
  prepareRoot: root => {
    stageModprobeLink(root);
    stageProgram(root, 'open-socket');
  },
});

/** Modules that are there now. */
async function loaded(guest: Guest): Promise<ReadonlySet<string>> {
  return new Set((await guest.procModules()).keys());
}

for (const [who, program] of Object.entries(LOADERS)) {
  scenario(`${who} brings the file system a mount asks for, and the loop device under it`, async (t, guest) => {
    await guest.startUsherd();
    await guest.run(`echo ${program} >/proc/sys/kernel/modprobe`);
    const before = await loaded(guest);
    for (const module of ['loop', 'vfat', 'fat', 'nls_cp437']) t.false(before.has(module), module);
    await guest.run(`
      mknod /dev/loop-control c 10 237 2>/dev/null; mknod /dev/loop0 b 7 0 2>/dev/null
      dd if=/dev/zero of=/tmp/disk bs=1M count=2 2>/dev/null && mkdosfs /tmp/disk && mkdir -p /tmp/mnt
      : </dev/loop-control && losetup /dev/loop0 /tmp/disk && mount -t vfat /dev/loop0 /tmp/mnt && echo kept >/tmp/mnt/file`);
    t.is(await guest.run('cat /tmp/mnt/file; grep -c vfat /proc/mounts'), 'kept\n1');
    const after = await loaded(guest);
    for (const module of ['loop', 'vfat', 'fat', 'nls_cp437']) t.true(after.has(module), module);
    await guest.run('umount /tmp/mnt; losetup -d /dev/loop0');
    await guest.run('usher modprobe -r -a loop vfat nls_cp437 nls_ascii nls_utf8');
  });

  scenario(`${who} brings a protocol when a socket of its family is opened`, async (t, guest) => {
    const before = await loaded(guest);
    for (const module of ['can', 'can_raw']) t.false(before.has(module), module);
    await guest.run(`open-socket ${CAN.family} ${CAN.raw} ${CAN.protocol}`);
    const after = await loaded(guest);
    for (const module of ['can', 'can_raw']) t.true(after.has(module), module);
    await guest.run('usher modprobe -r can_raw');
    await guest.stopUsherd();
  });

  scenario(
    `${who} answers for a module that is not there as modprobe does: the caller gets the kernel’s error`,
    async (t, guest) => {
      await guest.startUsherd();
      const { status, stderr } = await guest.try('mount -t nosuchfs none /tmp');
      t.not(status, 0);
      t.regex(stderr, /No such device/);
      await guest.stopUsherd();
    },
  );
}

scenario('what the kernel asked for by itself is in the ledger with the alias it asked by', async (t, guest) => {
  const requests = jsonLines<Request>(await guest.try('usher history --requests --json -n 100'));
  const told = new Map(requests.map(({ asked, result, asker }) => [asked, `${asker} ${result}`]));
  for (const alias of ['char-major-10-237', 'fs-vfat', 'net-pf-29', 'can-proto-1'])
    t.is(told.get(alias), 'kernel loaded', alias);
  t.is(told.get('fs-nosuchfs'), 'kernel no-module');
});
