import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian packages of what is compared with and what that takes, by a file each brings. */
const PEERS: Readonly<Record<string, string>> = {
  '/sbin/modprobe': 'kmod',
  '/bin/udevadm': 'udev',
  '/usr/include/libkmod.h': 'libkmod-dev',
  '/usr/include/sqlite3.h': 'libsqlite3-dev',
  '/sbin/ip': 'iproute2',
  '/usr/bin/unshare': 'util-linux',
};

/** Installs what is missing of them, as root by apt; else says what is wanted. */
export function installPeers(): void {
  const missing = Object.entries(PEERS)
    .filter(([file]) => !existsSync(file))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`bench: install ${missing.join(' ')}, or run this as root`);
  process.stderr.write(`bench: installs ${missing.join(' ')}\n`);
  apt('update', '-qq');
  apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
}

function apt(...words: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}
