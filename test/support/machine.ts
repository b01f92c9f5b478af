import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { native } from '../../core/kernel/native.ts';

/** Why this machine cannot make uevents by writing to /sys, or undefined when it can. */
export function whyNoRealUevents(): string | undefined {
  try {
    accessSync('/sys/devices/virtual/net/lo/uevent', constants.W_OK);
  } catch {
    return 'root, and a writable /sys with a loopback device, are needed to make real uevents';
  }
  const before = readFileSync('/sys/kernel/uevent_seqnum', 'latin1');
  return /^[0-9]+\n$/.test(before) ? undefined : '/sys/kernel/uevent_seqnum is missing';
}

/** Why a private network namespace with a user namespace of its own cannot be had, or undefined. */
export function whyNoNamespaces(): string | undefined {
  const { status, stderr } = spawnSync('unshare', ['-Urn', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `unshare -Urn fails: ${stderr ?? 'no unshare'}`;
}

/** Why a program is missing, or undefined when it runs. */
export function whyNoProgram(name: string, argument = '--version'): string | undefined {
  try {
    execFileSync(name, [argument], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${name} is not installed`;
  }
}

/** uevent files below /sys/devices of things that have a subsystem, so that a write to one makes a uevent. */
export function ueventFiles(): string[] {
  return globSync('/sys/devices/**/subsystem').map(link => link.replace(/subsystem$/, 'uevent'));
}

/** Whether the addon in use is the sanitized one, on which timings mean nothing. */
export const isSanitized = (process.env['USHERD_NATIVE'] ?? '').includes('sanitized');

/** Sends bytes to the kernel's uevent port, which multicasts them with a SEQNUM. */
export function injectUevent(fields: readonly string[]): number {
  return native().netlinkInject(Buffer.from(fields.map(field => `${field}\0`).join('')));
}

/** Why the kernel makes no virtual network pair, or undefined. */
export function whyNoVeth(): string | undefined {
  const words = ['-Urn', 'ip', 'link', 'add', 'ush0', 'type', 'veth', 'peer', 'name', 'ush1'];
  const { status, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  return status === 0 ? undefined : `a veth pair cannot be made: ${(stderr ?? 'no ip').trim()}`;
}
