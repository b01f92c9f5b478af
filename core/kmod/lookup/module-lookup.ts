import { moduleName } from '../../vocabulary/module-name.ts';
import type { DirectiveOf } from '../config/directive.ts';
import type { ModprobeConfig } from '../config/modprobe-config.ts';
import { SYMBOL_PREFIX } from '../maps/modules-symbols.ts';
import type { ModuleTree } from '../module-tree.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

interface Lookup {
  /** What was asked for, with `-` as `_` outside of brackets. */
  readonly key: string;
  /** A text with a colon is never a module's name. */
  readonly isName: boolean;
  readonly tree: ModuleTree;
  readonly config: ModprobeConfig;
}

const NONE: readonly ModuleMatch[] = [];

/**
 * Where a text is looked up, in libkmod's order; the first source that yields anything is the answer, with all it yields.
 * Source: kmod libkmod-module.c, kmod_module_new_from_lookup.
 */
const SOURCES: readonly ((lookup: Lookup) => readonly ModuleMatch[])[] = [
  ({ key, config }) => findConfigured(config.aliasesMatching(key)),
  ({ key, isName, tree }) => (isName ? findModule(key, tree) : NONE),
  ({ key, tree }) => (key.startsWith(SYMBOL_PREFIX) ? tree.symbolIndex().match(key) : NONE),
  ({ key, config }) => findCommand(config.installNamed(key), key),
  ({ key, config }) => findCommand(config.removeNamed(key), key),
  ({ key, tree }) => tree.aliasIndex().match(key),
  ({ key, isName, tree }) => (isName ? findBuiltin(key, tree) : NONE),
  ({ key, tree }) => tree.builtinAliasIndex().match(key),
];

/**
 * A module's name, an alias or a device's modalias → the modules it stands for, in the order modprobe loads them; a module stands
 * there once for each pattern that matches, as `modprobe -R` prints it. None when nothing matches, or a bracket has no partner.
 * What an alias names is not looked up again.
 */
export function lookupModules(query: string, tree: ModuleTree, config: ModprobeConfig): readonly ModuleMatch[] {
  const key = normaliseAlias(query);
  if (key === undefined) return NONE;
  const lookup = { key, isName: !key.includes(':'), tree, config };
  for (const find of SOURCES) {
    const found = find(lookup);
    if (found.length > 0) return found;
  }
  return NONE;
}

function findConfigured(lines: readonly DirectiveOf<'alias'>[]): readonly ModuleMatch[] {
  if (lines.length === 0) return NONE;
  return lines.map(({ module, pattern, place }) => ({ module, pattern, place, source: 'config-alias' }));
}

function findModule(key: string, tree: ModuleTree): readonly ModuleMatch[] {
  const module = moduleName(key);
  if (tree.module(module) === undefined) return NONE;
  return [{ module, pattern: key, place: { file: tree.depFile }, source: 'modules.dep' }];
}

function findBuiltin(key: string, tree: ModuleTree): readonly ModuleMatch[] {
  const module = moduleName(key);
  if (!tree.isBuiltin(module)) return NONE;
  return [{ module, pattern: key, place: { file: tree.builtinFile }, source: 'modules.builtin' }];
}

function findCommand(line: DirectiveOf<'install' | 'remove'> | undefined, key: string): readonly ModuleMatch[] {
  if (line === undefined) return NONE;
  return [{ module: moduleName(key), pattern: line.pattern, place: line.place, source: line.kind }];
}
