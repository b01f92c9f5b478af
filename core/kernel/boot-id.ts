import { readFileSync } from 'node:fs';

/** What tells this boot of the machine from any other; `unknown` where /proc does not say. Source: random(4), boot_id. */
export function readBootId(procRoot: string): string {
  try {
    return readFileSync(`${procRoot}/sys/kernel/random/boot_id`, 'latin1').trim();
  } catch {
    return 'unknown';
  }
}
