import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Figure } from './figure.ts';

const DEBIAN_RULES = '/usr/lib/udev/rules.d';
const sandbox = path.join(import.meta.dirname, '../support/sandbox.sh');

/** Takes every rule file of udev out, in the sandbox's own /etc, and goes on with the words behind it. */
const WITHOUT_RULES = `mkdir -p /etc/udev/rules.d; for file in ${DEBIAN_RULES}/*.rules; do ln -s /dev/null /etc/udev/rules.d/$(basename $file); done; exec "$@"`;

/**
 * What Debian's rules cost per event: ours in process, CPU time of going through them for an `add` of every device in /sys; udevd's as the
 * CPU time of a storm of the same events with its rules, less that of a storm with all of them taken out.
 */
export function benchRules(isShort: boolean): readonly Figure[] {
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < (isShort ? 1 : 3); round++) {
    ours.push(
      read('usPerEvent', ['-', process.execPath, path.join(import.meta.dirname, 'rules.ts'), DEBIAN_RULES, '20']),
    );
    const storm = [process.execPath, path.join(import.meta.dirname, 'storm.ts'), 'udevd', '20000', 'add', '0', 'all'];
    const withRules = read('cpuUsPerEvent', ['-', ...storm]);
    const without = read('cpuUsPerEvent', ['-', 'bash', '-c', WITHOUT_RULES, 'bash', ...storm]);
    peer.push(withRules - without);
  }
  const [us, them] = [median(ours), median(peer)];
  return [
    {
      bench: 'rules',
      what: "Debian's, per event",
      ours: us,
      peer: them,
      unit: 'µs',
      ratio: us / them,
      target: '<= 0.33',
      isMoreBetter: false,
    },
  ];
}

function read(field: string, words: readonly string[]): number {
  const out = execFileSync('bash', [sandbox, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number((JSON.parse(out) as Record<string, unknown>)[field]);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
