import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { runRuleProgram } from '../../core/daemon/rules-in-force.ts';
import { systemRoot, type SystemRoot } from '../../core/kernel/system-root.ts';
import { applyRules } from '../../core/pipeline/4-policy/rules/apply-rules.ts';
import { parseRules } from '../../core/pipeline/4-policy/rules/parse-rules.ts';
import type { RuleSubject, StoredDevice } from '../../core/pipeline/4-policy/rules/rule-context.ts';
import type { RuleResult } from '../../core/pipeline/4-policy/rules/rule-result.ts';
import { RuleSet } from '../../core/pipeline/4-policy/rules/rule-set.ts';
import { subjectOfDevice } from '../../core/pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../../core/pipeline/4-policy/rules/system-context.ts';
import { makeSys, type MadeDevice } from './made-sys.ts';

/** A /sys of a test's own, and rules applied to its devices. */
export interface RuleWorld {
  readonly roots: SystemRoot;
  /** Rules as one file, applied to a device as if `action` had happened to it. */
  readonly apply: (
    rules: string,
    devpath: string,
    asked?: { readonly action?: string; readonly subject?: Partial<RuleSubject> },
  ) => Promise<RuleResult>;
}

/** Makes a system of these devices in a temporary folder that goes when the test is over. */
export function makeRuleWorld(
  t: ExecutionContext,
  devices: readonly MadeDevice[],
  stored: Readonly<Record<string, StoredDevice>> = {},
): RuleWorld {
  const root = mkdtempSync(path.join(tmpdir(), 'usherd-rules-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const roots = systemRoot({ root }, { env: {}, uid: 0 });
  makeSys(roots.sys, devices);
  const context = new SystemContext(roots, ({ devpath }) => stored[devpath]);
  return {
    roots,
    apply: async (rules, devpath, { action = 'add', subject = {} } = {}) => {
      const set = ruleSetOf(rules);
      return applyRules(set, { ...(await subjectOfDevice(devpath, action, roots)), ...subject }, context, {
        runProgram: runRuleProgram,
      });
    },
  };
}

/** Rules as one file. */
export function ruleSetOf(text: string, file = 'test.rules'): RuleSet {
  return new RuleSet([{ ...parseRules(text, file), hash: text }]);
}
