import path from 'node:path';
import { readModuleTraits, type ModuleTraits } from '../kernel/module-traits.ts';
import { runProgram } from '../kernel/run-program.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleTree } from '../kmod/module-tree.ts';
import type { RuleContext, RunProgram } from '../pipeline/4-policy/rules/rule-context.ts';
import { loadRuleSet } from '../pipeline/4-policy/rules/rule-files.ts';
import type { RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { RuleSet } from '../pipeline/4-policy/rules/rule-set.ts';
import { SystemContext } from '../pipeline/4-policy/rules/system-context.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';

/** Modules whose file's words are kept; a machine loads some hundred. Beyond it all are forgotten. */
const TRAITS_MAX = 1024;

/** usherd's own folders of rules, strongest first. */
export function ownRuleDirs({ configDirs }: Pick<SystemRoot, 'configDirs'>): readonly string[] {
  return configDirs.map(dir => path.join(dir, 'rules.d'));
}

/** All folders rules are read from, strongest first: usherd's own, then those of the settings. */
export function ruleDirs(
  roots: Pick<SystemRoot, 'configDirs'>,
  { rulesDirs }: Pick<Settings, 'rulesDirs'>,
): readonly string[] {
  return [...ownRuleDirs(roots), ...rulesDirs];
}

/** A program's output when it ended with 0. */
export const runRuleProgram: RunProgram = async ({ words, env }) => {
  const end = await runProgram(words, env);
  return end.kind === 'exited' && end.status === 0 ? end.stdout : undefined;
};

/** What rules need to speak of modules: of a set that may be another after a reload. */
export function rulePolicy(
  roots: SystemRoot,
  traitsOf: RulePolicy['traitsOf'],
  ruleSet: () => RuleSet,
  context: RuleContext = new SystemContext(roots),
): RulePolicy {
  return { ruleSet, context: () => context, runProgram: runRuleProgram, traitsOf, places: roots };
}

/** Reads the rules once, for a process that soon ends. */
export function readRulePolicy(roots: SystemRoot, traitsOf: RulePolicy['traitsOf']): RulePolicy {
  const ruleSet = loadRuleSet(ruleDirs(roots, readSettings(roots.configDirs).settings));
  return rulePolicy(roots, traitsOf, () => ruleSet);
}

/** What the modules of a tree say of themselves; each file is read once. */
export function treeTraits(tree: () => ModuleTree): RulePolicy['traitsOf'] {
  const known = new Map<string, ModuleTraits | undefined>();
  return module => {
    const file = fileOf(module, tree());
    if (file === undefined) return undefined;
    if (!known.has(file)) {
      if (known.size >= TRAITS_MAX) known.clear();
      known.set(file, traitsOfFile(file));
    }
    return known.get(file);
  };
}

function fileOf(module: ModuleName, tree: ModuleTree): string | undefined {
  const entry = tree.module(module);
  return entry === undefined ? undefined : tree.filePath(entry);
}

/** A module file → what it says of itself. One that cannot be read says nothing; the kernel will say what is wrong with it. */
export function traitsOfFile(file: string): ModuleTraits | undefined {
  try {
    return readModuleTraits(file);
  } catch {
    return undefined;
  }
}
