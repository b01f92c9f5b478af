import { writeFileSync } from 'node:fs';
import type { Devpath } from '../vocabulary/devpath.ts';
import type { SystemRoot } from './system-root.ts';

/**
 * Asks the kernel to send a uevent for a device again. With a UUID the event carries it back as SYNTH_UUID.
 * Source: Documentation/ABI/testing/sysfs-uevent. Throws what the write does: EACCES when not root, EINVAL for an unknown action.
 */
export function writeUeventFile(
  { sys }: Pick<SystemRoot, 'sys'>,
  devpath: Devpath,
  action: string,
  uuid?: string,
): void {
  writeFileSync(`${sys}${devpath}/uevent`, uuid === undefined ? action : `${action} ${uuid}`);
}
