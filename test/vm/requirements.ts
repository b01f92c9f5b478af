import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const builtUsher = path.resolve(import.meta.dirname, '../../dist/usher');

/** Programs of the host, and Debian's packages that have them. */
const PROGRAMS: readonly (readonly [program: string, packageName: string])[] = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['setpriv', 'util-linux'],
  ['xz', 'xz-utils'],
  ['strip', 'binutils'],
];

/** Why no machine can be emulated here; fetches QEMU first when it may. */
export function whyNoMachine(): string | undefined {
  if (!existsSync(builtUsher)) return 'dist/ is not built (npm run build)';
  if (process.arch !== 'x64') return `the test kernels are for amd64, this is ${process.arch}`;
  const missing = PROGRAMS.filter(([program]) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  const packages = missing.map(([, name]) => name);
  if (process.getuid?.() === 0) spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages]);
  const still = packages.filter((_, n) => !isInstalled(missing[n]?.[0] ?? ''));
  return still.length === 0
    ? undefined
    : `not installed: ${still.join(' ')} (apt-get install --no-install-recommends ${still.join(' ')})`;
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
