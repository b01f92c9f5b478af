import { boundDevices, isLoadable } from '../kernel/driver-modules.ts';
import { readLifelines } from '../kernel/lifelines.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { lookupModules } from '../kmod/lookup/module-lookup.ts';
import { blockedBy, impactOf, type Blocked, type Impact } from '../pipeline/4-policy/blocked-modules.ts';
import { changeDecisions, type DecisionChange } from '../pipeline/4-policy/decision-change.ts';
import { lockOut } from '../pipeline/4-policy/lock-out.ts';
import { forbidsInForce, type Moment, type StandingDecisions } from '../pipeline/4-policy/standing-decisions.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';

/** What a change would do to this machine: said before it is made. */
export interface PolicyEffect extends Impact {
  /** What the tree says of a module that is named: a part of the kernel cannot be kept out of it. */
  readonly named?: 'builtin' | 'unknown' | 'module';
  /** The module that is named is in the kernel now, and stays there until it is removed. */
  readonly isLoaded?: boolean;
  /** What would be cut off: for each a sentence. */
  readonly lockOut: readonly string[];
}

/** A change of the decisions, looked at on the machine as it is now. */
export function effectOf(
  change: DecisionChange,
  { decisions, moment }: { readonly decisions: StandingDecisions; readonly moment: Moment },
  { roots, world }: { readonly roots: SystemRoot; readonly world: ModuleWorld },
): PolicyEffect {
  const { tree, config } = world;
  const blocked = (standing: StandingDecisions): Blocked =>
    blockedBy(
      forbidsInForce(standing, moment).map(({ subject }) => subject),
      tree,
    );
  const after = changeDecisions(decisions, change, { ...moment, uid: 0 });
  const lifelines = readLifelines(roots, alias => lookupModules(alias, tree, config).map(({ module }) => module));
  const impact = change.kind === 'forbid' ? impactOf([change.subject], boundDevices(roots), tree) : NOTHING;
  const named = change.kind === 'forbid' && change.subject.kind === 'module' ? change.subject.module : undefined;
  return {
    ...impact,
    ...(named === undefined ? {} : { named: standingOf(named, world), isLoaded: isLoadable(roots, named) }),
    lockOut: lockOut(lifelines, blocked(decisions), blocked(after)),
  };
}

function standingOf(module: ModuleName, { tree }: ModuleWorld): 'builtin' | 'unknown' | 'module' {
  if (tree.isBuiltin(module)) return 'builtin';
  return tree.module(module) === undefined ? 'unknown' : 'module';
}

const NOTHING: Impact = { devices: [], modules: [] };
