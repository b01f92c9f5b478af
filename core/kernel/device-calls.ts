import { errnoName, type ErrnoName } from '../vocabulary/errno.ts';
import { native } from './native.ts';

/** Gives a network interface another name → the kernel's error, or undefined. Source: netdevice(7), SIOCSIFNAME. */
export function renameInterface(from: string, to: string): ErrnoName | undefined {
  return errorOf(native().renameInterface(from, to));
}

/** Writes a security label of an open file, an O_PATH one too → the kernel's error, or undefined. Source: xattr(7), security.*. */
export function setLabel(fd: number, name: string, label: string): ErrnoName | undefined {
  return errorOf(native().setLabel(fd, name, label));
}

function errorOf(status: number): ErrnoName | undefined {
  return status === 0 ? undefined : errnoName(-status);
}
