import { cpSync, existsSync, globSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { unpackedPackages } from '../support/debian-packages.ts';
import { put, stageLibraries } from './staged-root.ts';

/** Debian's udev and kmod, and the libraries they are linked with. */
const PACKAGES = [
  'udev',
  'kmod',
  'libkmod2',
  'libudev1',
  'libacl1',
  'libblkid1',
  'libcap2',
  'libselinux1',
  'libpcre2-8-0',
  'libzstd1',
  'liblzma5',
  'libssl3',
];

/** Starts udevd as Debian's boot does, with a trigger of everything, and waits until it is done. */
export const START_UDEV = `/lib/systemd/systemd-udevd --daemon --resolve-names=never
  udevadm trigger --type=subsystems --action=add && udevadm trigger --type=devices --action=add && udevadm settle`;

/** What mdev does for drivers where it is used for them (Alpine, buildroot): every event with a modalias goes to modprobe. */
const MDEV_CONF = '$MODALIAS=.* 0:0 660 @modprobe -b "$MODALIAS"\n';

/** Starts busybox mdev as a daemon, and has every device tell of itself again, which mdev does not do by itself. */
export const START_MDEV = `mdev -d
  find /sys/devices -name uevent | while read -r file; do echo add >"$file"; done
  before=; while now=$(cat /sys/kernel/uevent_seqnum /proc/modules | md5sum) && [ "$now" != "$before" ] || pidof modprobe; do
    before=$now; usleep 300000; done`;

/** Puts busybox mdev into a root, and kmod for it to call. */
export async function stageMdev(root: string): Promise<void> {
  await stageUdev(root);
  symlinkSync('busybox', path.join(root, 'bin/mdev'));
  put(path.join(root, 'etc/mdev.conf'), MDEV_CONF);
}

/** Puts systemd-udevd with its rules, and kmod, into a root: the peer whose decisions are the measure. */
export async function stageUdev(root: string): Promise<void> {
  const from = await packages();
  for (const folder of ['lib/udev', 'usr/lib/udev']) copy(from, folder, root, 'lib/udev');
  for (const program of ['udevadm', 'kmod']) copy(from, `bin/${program}`, root, `usr/bin/${program}`);
  mkdirSync(path.join(root, 'lib/systemd'), { recursive: true });
  mkdirSync(path.join(root, 'sbin'), { recursive: true });
  symlinkSync('/usr/bin/udevadm', path.join(root, 'lib/systemd/systemd-udevd'));
  for (const name of ['modprobe', 'rmmod', 'insmod', 'lsmod'])
    symlinkSync('/usr/bin/kmod', path.join(root, 'sbin', name));
  put(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  put(path.join(root, 'etc/group'), 'root:x:0:\n');
  const programs = globSync('lib/udev/*', { cwd: root }).map(name => path.join(root, name));
  const isProgram = (file: string): boolean => statSync(file).isFile() && (statSync(file).mode & 0o111) !== 0;
  const searched = ['lib', 'usr/lib'].map(folder => path.join(from, folder, 'x86_64-linux-gnu'));
  stageLibraries(
    root,
    [path.join(root, 'usr/bin/udevadm'), path.join(root, 'usr/bin/kmod'), ...programs.filter(isProgram)],
    searched,
  );
  await stageModprobeConf(root);
}

/** What Debian's kmod says in modprobe.d, so that both sides are told the same. */
export async function stageModprobeConf(root: string): Promise<void> {
  const from = await packages();
  for (const folder of ['lib/modprobe.d', 'usr/lib/modprobe.d', 'etc/modprobe.d']) copy(from, folder, root, folder);
}

function packages(): Promise<string> {
  return unpackedPackages('debian-udev', () => PACKAGES);
}

function copy(from: string, name: string, root: string, to: string): void {
  if (!existsSync(path.join(from, name))) return;
  mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
  cpSync(path.join(from, name), path.join(root, to), { recursive: true, verbatimSymlinks: true });
}
