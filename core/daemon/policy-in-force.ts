import { readBootId } from '../kernel/boot-id.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { decisionsFile } from '../pipeline/4-policy/decisions-place.ts';
import { readDecisions } from '../pipeline/4-policy/decisions-file.ts';
import { denyUnmatched } from '../pipeline/4-policy/deny-unmatched.ts';
import { holdList } from '../pipeline/4-policy/hold-list.ts';
import type { PolicySettings } from '../pipeline/4-policy/policy-settings.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { seeDevice } from '../pipeline/4-policy/seen-device.ts';
import { standingOpinions, type StandingSources } from '../pipeline/4-policy/standing-opinions.ts';
import type { Problem } from '../vocabulary/place.ts';
import { readSettings } from './read-settings.ts';
import { policyOf } from './settings.ts';

/** All that usherd's own policy goes by. */
export interface PolicyInForce extends StandingSources {
  readonly settings: () => PolicySettings;
}

/** usherd's own policy → those who speak for it. */
export function policySources(policy: PolicyInForce): readonly OpinionSource[] {
  return [standingOpinions(policy), denyUnmatched(policy.settings), holdList(policy.settings)];
}

/**
 * Reads the policy once, for a process that soon ends. @throws {UsherdError} FILE_UNREADABLE when decisions.toml is there and cannot
 * be read
 */
export function readPolicy(
  roots: SystemRoot,
  { settings, problems } = readSettings(roots.configDirs),
): PolicyInForce & { readonly problems: readonly Problem[] } {
  const read = readDecisions(decisionsFile(roots));
  const bootId = readBootId(roots.proc);
  return {
    decisions: () => read.decisions,
    moment: () => ({ nowMs: Date.now(), bootId }),
    see: devpath => seeDevice(roots, devpath),
    settings: () => policyOf(settings),
    problems: [...problems, ...read.problems],
  };
}
