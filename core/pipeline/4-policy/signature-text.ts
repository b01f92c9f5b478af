import type { Signature } from './standing-decisions.ts';

/** `by user 0, 2026-11-23T09:33:00.000Z`: who decided and when, in UTC. */
export function signatureText({ uid, atMs }: Signature): string {
  return `by user ${uid}, ${new Date(atMs).toISOString()}`;
}
