import { moduleName } from '../../vocabulary/module-name.ts';
import type { DirectiveOf } from '../config/directive.ts';
import type { ModprobeConfig } from '../config/modprobe-config.ts';
import { SYMBOL_PREFIX } from '../maps/modules-symbols.ts';
import type { ModuleTree } from '../module-tree.ts';
import type { AliasIndex } from './alias-index.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

interface Lookup {
  /** What was asked for, with `-` as `_` outside of brackets. */
  readonly key: string;
  readonly tree: ModuleTree;
  readonly config: ModprobeConfig;
}

/**
 * Where a text is looked up, in libkmod's order; the first source that yields anything is the answer, with all it yields.
 * Source: kmod libkmod-module.c, kmod_module_new_from_lookup.
 */
const SOURCES: readonly { readonly source: ModuleMatch['source']; readonly find: (lookup: Lookup) => Found[] }[] = [
  { source: 'config-alias', find: ({ key, config }) => config.aliasesMatching(key).map(foundAlias) },
  { source: 'modules.dep', find: findModule },
  { source: 'modules.symbols', find: ({ key, tree }) => (isSymbol(key) ? foundIn(tree.symbolIndex(), key) : []) },
  { source: 'install', find: ({ key, config }) => foundCommand(config.installNamed(key), key) },
  { source: 'remove', find: ({ key, config }) => foundCommand(config.removeNamed(key), key) },
  { source: 'modules.alias', find: ({ key, tree }) => foundIn(tree.aliasIndex(), key) },
  { source: 'modules.builtin', find: findBuiltin },
  { source: 'modules.builtin.alias', find: ({ key, tree }) => foundIn(tree.builtinAliasIndex(), key) },
];

type Found = Omit<ModuleMatch, 'source'>;

/**
 * A module's name, an alias or a device's modalias → the modules it stands for, in the order modprobe loads them; a module stands
 * there once for each pattern that matches, as `modprobe -R` prints it. None when nothing matches, or a bracket has no partner.
 * What an alias names is not looked up again.
 */
export function lookupModules(query: string, tree: ModuleTree, config: ModprobeConfig): readonly ModuleMatch[] {
  const key = normaliseAlias(query);
  if (key === undefined) return [];
  const lookup = { key, tree, config };
  for (const { source, find } of SOURCES) {
    const found = find(lookup);
    if (found.length > 0) return found.map(match => ({ ...match, source }));
  }
  return [];
}

/** A text with a colon is never a module's name, so modules.dep is not asked. */
function findModule({ key, tree }: Lookup): Found[] {
  const entry = key.includes(':') ? undefined : tree.module(moduleName(key));
  return entry === undefined ? [] : [{ module: moduleName(key), pattern: key, place: { file: tree.depFile } }];
}

function findBuiltin({ key, tree }: Lookup): Found[] {
  const module = moduleName(key);
  return tree.isBuiltin(module) ? [{ module, pattern: key, place: { file: tree.builtinFile } }] : [];
}

function isSymbol(key: string): boolean {
  return key.startsWith(SYMBOL_PREFIX);
}

function foundIn(index: AliasIndex, key: string): Found[] {
  return index.match(key).map(({ module, pattern }) => ({ module, pattern, place: { file: index.file } }));
}

function foundAlias({ module, pattern, place }: DirectiveOf<'alias'>): Found {
  return { module, pattern, place };
}

function foundCommand(line: DirectiveOf<'install' | 'remove'> | undefined, key: string): Found[] {
  return line === undefined ? [] : [{ module: moduleName(key), pattern: line.pattern, place: line.place }];
}
