import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { depLineModule, parseModulesDep } from '../../core/kmod/maps/modules-dep.ts';
import { moduleNameOfPath } from '../../core/vocabulary/module-name.ts';
import { CpioWriter } from './cpio.ts';
import type { DebianKernel } from './debian-kernel.ts';
import { busyboxFile } from './staged-root.ts';

/** What the mount of the shared root needs. The one thing that is loaded without usherd. */
const TRANSPORT = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];

/** A kernel → an initramfs that does no more than mount the shared root. Console is device 5:1, null 1:3 (devices.txt). */
export async function makeInitrd({ modulesDir }: DebianKernel): Promise<Buffer> {
  const cpio = new CpioWriter();
  cpio.characterDevice('dev/console', 5, 1);
  cpio.characterDevice('dev/null', 1, 3);
  cpio.file('bin/busybox', readFileSync(await busyboxFile()));
  cpio.file('init', readFileSync(path.join(import.meta.dirname, 'guest/init')));
  const files = transportFiles(modulesDir);
  for (const file of files) cpio.file(`transport/${plainName(file)}`, readModule(path.join(modulesDir, file)), 0o644);
  cpio.file('transport/order', files.map(file => `${plainName(file)}\n`).join(''), 0o644);
  return cpio.bytes();
}

/** Files of the transport and all they need, in the order to insert them. What is built in has no line. */
function transportFiles(modulesDir: string): readonly string[] {
  const file = path.join(modulesDir, 'modules.dep');
  const lines = new Map(
    parseModulesDep(readFileSync(file, 'latin1'), file).entries.map(line => [String(depLineModule(line)), line]),
  );
  const wanted = TRANSPORT.flatMap(name => {
    const line = lines.get(name);
    return line === undefined ? [] : [...line.dependencies.toReversed(), line.path];
  });
  return [...new Set(wanted)];
}

function plainName(file: string): string {
  return `${moduleNameOfPath(file)}.ko`;
}

function readModule(file: string): Buffer {
  return file.endsWith('.xz') ? execFileSync('xz', ['-dc', file], { maxBuffer: 64 * 1024 * 1024 }) : readFileSync(file);
}
