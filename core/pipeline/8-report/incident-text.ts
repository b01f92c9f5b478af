import type { Incident } from '../7-ledger/incident.ts';

/** Facts of an incident → ` NAME=VALUE` each. */
export function factsText({ kind: _kind, ...facts }: Incident): string {
  return Object.entries(facts)
    .map(([name, fact]) => ` ${name}=${factText(fact)}`)
    .join('');
}

/** A fact as it reads best; quoted when it could be taken for more than one. */
function factText(fact: unknown): string {
  const isPlain = typeof fact === 'number' || (typeof fact === 'string' && /^[^\s"=]+$/.test(fact));
  return isPlain ? String(fact) : JSON.stringify(fact);
}
