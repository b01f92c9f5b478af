import path from 'node:path';
import type { SystemRoot } from '../../kernel/system-root.ts';

/** Where the standing decisions are kept. */
export function decisionsFile({ stateDir }: Pick<SystemRoot, 'stateDir'>): string {
  return path.join(stateDir, 'decisions.toml');
}
