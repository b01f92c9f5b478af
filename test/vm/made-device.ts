import type { Guest } from './guest.ts';
import type { Entry } from './told.ts';

/**
 * Lines of modprobe.d that have usherd load usherd_bus, which makes platform devices of any name, for the machine's speaker; so that
 * nothing but usherd inserts a module in the guest.
 */
export const BUS_ALIAS = 'alias platform:pcspkr usherd_bus';

/** Has the kernel make a platform device, whose MODALIAS is `platform:NAME` → its devpath and the number of its first event. */
export async function makeDevice(guest: Guest, name: string): Promise<{ devpath: string; fromSeqnum: bigint }> {
  const fromSeqnum = await guest.nextSeqnum();
  await guest.run(`echo ${name} >/sys/module/usherd_bus/parameters/add`);
  return { devpath: `/devices/platform/${name}`, fromSeqnum };
}

/** Makes a device and waits until usherd is done with it → the entry of its `add`. */
export async function offerDevice(guest: Guest, name: string): Promise<Entry> {
  const { devpath, fromSeqnum } = await makeDevice(guest, name);
  const [added] = await guest.storyOf(devpath, fromSeqnum);
  if (added === undefined) throw new Error(`the ledger has nothing of ${devpath}`);
  return added;
}

/** Has usherd_trying try a device, which it does until it is told to let go → that device. */
export async function beginTrying(guest: Guest): Promise<{ devpath: string; letGo: () => Promise<unknown> }> {
  // Whoever makes the device waits for the driver.
  await guest.run(
    `usher modprobe usherd_trying
     (echo usherd-trying >/sys/module/usherd_bus/parameters/add) >/dev/null 2>&1 &`,
  );
  await guest.until('dmesg | grep -q "usherd_trying: tries"');
  return {
    devpath: '/devices/platform/usherd-trying',
    letGo: () => guest.run('echo 1 >/sys/module/usherd_trying/parameters/let_go'),
  };
}
