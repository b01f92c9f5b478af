import type { SystemRoot } from '../../kernel/system-root.ts';

/** Where the standing decisions are kept. */
export function decisionsFile({ stateDir }: Pick<SystemRoot, 'stateDir'>): string {
  return `${stateDir}/decisions.toml`;
}
