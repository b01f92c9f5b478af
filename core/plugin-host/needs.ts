import type { Need } from '../plugin-api/context.ts';

export type GrantedNeed = Need;

const NAMED: readonly string[] = ['drivers', 'unload', 'net', 'search'] satisfies readonly Need[];

/** Whether a value names something a plugin can need. A path to read is absolute and has no `..` in it. */
export function isNeed(value: unknown): value is Need {
  if (typeof value !== 'string') return false;
  return NAMED.includes(value) || (/^read:\/[^\0]*$/.test(value) && !value.split('/').includes('..'));
}

/** Paths among needs that may be read. */
export function readPaths(needs: readonly Need[]): readonly string[] {
  return needs.flatMap(need => (need.startsWith('read:') ? [need.slice('read:'.length)] : []));
}
