import { UsherdError } from '../errors.ts';
import { errnoName, errnoText } from '../vocabulary/errno.ts';
import { native } from './native.ts';

/**
 * Locks the file of this descriptor for whoever has it open here, until that is closed; false when another has it. Source: fcntl(2),
 * open file description locks. @throws {UsherdError} FILE_UNREADABLE
 */
export function lockFile(fd: number): boolean {
  const status = native().lockFile(fd);
  if (status >= 0) return true;
  const errno = errnoName(-status);
  if (errno === 'EAGAIN' || errno === 'EACCES') return false;
  throw unlockable(errno);
}

/** Whether another has that lock; the descriptor may be one to read only. @throws {UsherdError} FILE_UNREADABLE */
export function isLocked(fd: number): boolean {
  const status = native().isLocked(fd);
  if (status >= 0) return status === 1;
  throw unlockable(errnoName(-status));
}

function unlockable(errno: ReturnType<typeof errnoName>): UsherdError {
  return new UsherdError('FILE_UNREADABLE', `the file cannot be locked: ${errno}, ${errnoText(errno)}`, { errno });
}
