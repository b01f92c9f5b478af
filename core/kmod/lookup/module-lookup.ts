import { moduleName } from '../../vocabulary/module-name.ts';
import type { ModprobeConfig } from '../config/modprobe-config.ts';
import { SYMBOL_PREFIX } from '../maps/modules-symbols.ts';
import type { ModuleTree } from '../module-tree.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

const NONE: readonly ModuleMatch[] = [];

/**
 * A module's name, an alias or a device's modalias → the modules it stands for, in the order modprobe loads them; a module stands
 * there once for each pattern that matches, as `modprobe -R` prints it. None when nothing matches, or a bracket has no partner.
 * Looked up in libkmod's order; the first source that yields anything is the answer, with all it yields. What an alias names is not
 * looked up again. Source: kmod libkmod-module.c, kmod_module_new_from_lookup.
 */
export function lookupModules(query: string, tree: ModuleTree, config: ModprobeConfig): readonly ModuleMatch[] {
  const key = normaliseAlias(query);
  if (key === undefined) return NONE;
  const configured = config.aliasesMatching(key);
  if (configured.length > 0)
    return configured.map(({ module, pattern, place }) => ({ module, pattern, place, source: 'config-alias' }));
  // A text with a colon is never a module's name.
  const isName = !key.includes(':');
  const named = isName ? findModule(key, tree) : key.startsWith(SYMBOL_PREFIX) ? tree.symbolIndex().match(key) : NONE;
  if (named.length > 0) return named;
  const command = config.installNamed(key) ?? config.removeNamed(key);
  if (command !== undefined) {
    const { kind, pattern, place } = command;
    return [{ module: moduleName(key), pattern, place, source: kind }];
  }
  const aliased = tree.aliasIndex().match(key);
  if (aliased.length > 0) return aliased;
  const builtin = isName ? findBuiltin(key, tree) : NONE;
  return builtin.length > 0 ? builtin : tree.builtinAliasIndex().match(key);
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
