import { coldplugOthers, coldplugWaiting } from '../../core/pipeline/1-intake/coldplug.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import type { SystemRoot } from '../../core/kernel/system-root.ts';

/** All that a coldplug tells of: the devices that wait for a driver, then the others. */
export async function coldplugged(
  root: Pick<SystemRoot, 'sys'>,
): Promise<{ readonly waiting: readonly Uevent[]; readonly others: readonly Uevent[] }> {
  const waiting = await coldplugWaiting(root);
  const others = await Promise.all(coldplugOthers(root, new Set(waiting.map(({ devpath }) => devpath))));
  return { waiting, others: others.flat() };
}
