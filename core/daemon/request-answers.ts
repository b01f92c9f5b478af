import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../errors.ts';
import { forbidsInForce, subjectText } from '../pipeline/4-policy/standing-decisions.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** Patterns kept for the helper; beyond it the helper asks modprobe, which reads everything. */
const ANSWERS_MAX_PATTERNS = 4096;

/**
 * What the kernel's helper answers by itself while no daemon does, one line each, the first that matches counts (fnmatch(3)):
 *
 *     allow PATTERN      go on to modprobe
 *     deny PATTERN       say no
 *
 * Aliases and names are written with `_` for `-`. A name that is forbidden is in it as itself; what it is behind an alias, modprobe
 * finds out, which obeys the same decisions.
 */
export function requestAnswers({ decisions, moment, settings }: PolicyInForce): string {
  const { default: byDefault, allowRequests } = settings();
  const denied = forbidsInForce(decisions(), moment()).map(({ subject }) => `deny ${subjectText(subject)}`);
  const lines =
    byDefault === 'allow'
      ? denied
      : [...denied, ...allowRequests.map(pattern => `allow ${pattern.replaceAll('-', '_')}`), 'deny *'];
  const kept = byDefault === 'allow' ? lines.slice(0, ANSWERS_MAX_PATTERNS) : lines;
  return `${['# Made by usherd for usher-modprobe; changes here are lost.', ...kept].join('\n')}\n`;
}

/** Puts the answers where the helper looks, in one step. @throws {UsherdError} FILE_UNWRITABLE */
export function keepRequestAnswers(stateDir: string, policy: PolicyInForce): void {
  const file = path.join(stateDir, 'request-answers');
  const beside = `${file}.new`;
  try {
    rmSync(beside, { force: true });
    const fd = openSync(beside, 'wx', 0o644);
    try {
      writeSync(fd, requestAnswers(policy));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
  } catch (error) {
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}
