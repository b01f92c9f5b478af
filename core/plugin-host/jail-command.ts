import path from 'node:path';
import type { Need } from '../plugin-api/context.ts';
import { readPaths } from './needs.ts';

/** What makes a jail: files that are built along with usherd. */
export interface JailTools {
  /** The folder with `usher-jail`, `usher-plugin.mjs`, and what plugins may import. */
  readonly folder: string;
  /** The Node that runs plugins. */
  readonly node: string;
}

/** Objects a plugin may have in memory, in MB: a policy needs one. What lies outside of V8's objects is bounded by usher-jail. */
const OBJECTS_MAX_MB = 64;

const ENTRY = 'usher-plugin.mjs';
const SHARED = [ENTRY, 'plugin.mjs', 'schema.mjs'] as const;

/** What is run for a plugin that lies in `extent`, whose `granted` needs say what else it may read and whether it has the network. */
export function jailCommand(
  { folder, node }: JailTools,
  extent: string,
  granted: readonly Need[],
): [program: string, ...words: string[]] {
  const reads = [extent, ...SHARED.map(file => path.join(folder, file)), ...readPaths(granted)];
  return [
    path.join(folder, 'usher-jail'),
    ...(granted.includes('net') ? ['--net'] : []),
    ...reads.flatMap(file => ['--read', file]),
    '--',
    node,
    // Node's own bounds come on top of the kernel's: they name what was refused to an author who tries.
    '--permission',
    ...reads.map(file => `--allow-fs-read=${file}`),
    `--max-old-space-size=${OBJECTS_MAX_MB}`,
    '--no-warnings',
    path.join(folder, ENTRY),
  ];
}
