import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SystemRoot } from '../kernel/system-root.ts';
import { hasPlugins } from '../plugin-host/has-plugins.ts';
import { decisionsFile } from '../pipeline/4-policy/decisions-place.ts';

/** Whether there is any policy of usherd's to read at all: what a modprobe asks first, so that it costs nothing where there is none. */
export function hasPolicy(roots: SystemRoot): boolean {
  const settings = roots.configDirs.flatMap(dir => [
    path.join(dir, 'usherd.toml'),
    path.join(dir, 'usherd.toml.d'),
    path.join(dir, 'rules.d'),
  ]);
  return hasPlugins(roots.configDirs) || [decisionsFile(roots), ...settings].some(file => existsSync(file));
}
