import type { IndexEntry } from '../index/index-format.ts';
import { patchIndex } from '../index/index-patch.ts';
import { isIndexKey } from '../index/index-writer.ts';
import { normaliseAlias } from '../lookup/normalise-alias.ts';
import { formatAliasLine } from '../maps/modules-alias.ts';
import { SYMBOL_PREFIX } from '../maps/modules-symbols.ts';
import { linkModules, symbolOwners } from './dependency-graph.ts';
import {
  ALIAS_HEADER,
  type DepmodOutput,
  dependencyLines,
  devnameOutput,
  type FactTree,
  softdepOutputs,
  SYMBOL_HEADER,
} from './depmod-outputs.ts';
import { SYMBOL_BUCKETS, superFastHash } from './hash-order.ts';
import type { KeptFacts } from './kept-facts.ts';
import { type ModuleFacts, NO_FACTS } from './module-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import type { SymbolNames } from './symbol-names.ts';

/** Most modules that may differ: with more of them all is made anew, which then takes no longer. */
export const SPLICED_MODULES_MAX = 256;

type NamedFile = Pick<ScannedModule, 'name' | 'file'>;

/** Modules, of either tree, and what they say. */
interface NamedTree {
  readonly modules: readonly NamedFile[];
  readonly facts: readonly ModuleFacts[];
}

/** A tree as it was, and as it is. */
export interface TreeChange {
  readonly before: { readonly modules: readonly NamedFile[]; readonly facts: readonly KeptFacts[] };
  readonly after: FactTree;
  /** Of both. */
  readonly names: SymbolNames;
  /** Positions at which there is another module, or one that says something else. */
  readonly positions: readonly number[];
}

/** What some part comes to; undefined when it cannot be made so. */
export type Spliced = readonly DepmodOutput[] | undefined;

/** Bytes of an output as it was made of the tree before; undefined when it cannot be had. */
export type ReadOutput = (name: string) => Buffer | undefined;

/** Positions that differ; those of a module that has become shorter than the other are there, too. */
export function changedPositions(before: NamedTree, after: NamedTree): readonly number[] {
  const positions: number[] = [];
  for (let i = 0; i < before.modules.length || i < after.modules.length; i++) {
    if (before.modules[i]?.file !== after.modules[i]?.file || before.facts[i] !== after.facts[i]) positions.push(i);
  }
  return positions;
}

/**
 * The outputs that are others now, made from the old ones: what has nothing to do with a module that has changed is copied. Undefined
 * when that cannot be: too much has changed, modules need each other in a circle, something has a problem that must be told, or an old
 * output is not what it should be. Then all is made anew.
 */
export function spliceOutputs(change: TreeChange, read: ReadOutput): Spliced {
  if (change.positions.length > SPLICED_MODULES_MAX) return undefined;
  const outputs: DepmodOutput[] = [];
  for (const part of [spliceDependencies, spliceAliases, spliceSymbols, remakeSmall]) {
    const made = part(change, read);
    if (made === undefined) return undefined;
    outputs.push(...made);
  }
  return outputs;
}

/** Pairs of an index that go and come. */
interface PairChange {
  readonly removed: IndexEntry[];
  readonly added: IndexEntry[];
}

/** Files of a text and its index → both, or undefined when a pair can be in no index, or one that goes was not there. */
function withIndex(
  name: string,
  { removed, added }: PairChange,
  read: ReadOutput,
  text: (old: Buffer) => Buffer | undefined,
): Spliced {
  if (removed.length === 0 && added.length === 0) return [];
  if (![...removed, ...added].every(({ key }) => isIndexKey(key))) return undefined;
  const [oldText, oldIndex] = [read(name), read(`${name}.bin`)];
  const bytes = oldText && text(oldText);
  const index = oldIndex && patchIndex(oldIndex, removed, added);
  return (
    bytes &&
    index && [
      { name, bytes },
      { name: `${name}.bin`, bytes: index },
    ]
  );
}

/** Any module's line may differ, since it names what others need, and the order of that hangs on all. */
function spliceDependencies({ before, after, names }: TreeChange, read: ReadOutput): Spliced {
  const { modules, facts } = after;
  const graph = linkModules(facts, symbolOwners(facts, names.count));
  const old = read('modules.dep')?.toString('latin1').split('\n');
  if (graph.cycles.length > 0 || old?.length !== before.modules.length + 1) return undefined;
  const lines = dependencyLines({ modules, graph });
  const change: PairChange = { removed: [], added: [] };
  for (let priority = 0; priority < lines.length || priority < before.modules.length; priority++) {
    const [was, is] = [before.modules[priority]?.name, modules[priority]?.name];
    const [oldLine = '', line = ''] = [old[priority], lines[priority]];
    if (was === is && oldLine === line) continue;
    if (was !== undefined) change.removed.push({ key: was, value: oldLine, priority });
    if (is !== undefined) change.added.push({ key: is, value: line, priority });
  }
  return withIndex('modules.dep', change, read, () => Buffer.from(lines.map(line => `${line}\n`).join(''), 'latin1'));
}

function spliceAliases({ before, after, positions }: TreeChange, read: ReadOutput): Spliced {
  const change: PairChange = { removed: [], added: [] };
  const collect = ({ modules, facts }: NamedTree, priority: number, into: IndexEntry[]): boolean => {
    const value = modules[priority]?.name ?? '';
    return (facts[priority]?.aliases ?? []).every(alias => {
      const key = normaliseAlias(alias);
      if (key !== undefined) into.push({ key, value, priority });
      return key !== undefined;
    });
  };
  for (const priority of positions) {
    if (saysTheSame(before, after, priority, ({ aliases }) => aliases)) continue;
    if (!collect(before, priority, change.removed) || !collect(after, priority, change.added)) return undefined;
  }
  return withIndex('modules.alias', change, read, old => spliceAliasText({ before, after, positions }, old));
}

/** The lines of modules that stay are copied in as few pieces as there are. */
function spliceAliasText(
  { before, after, positions }: Pick<TreeChange, 'before' | 'after' | 'positions'>,
  old: Buffer,
): Buffer | undefined {
  const pieces: Buffer[] = [];
  const around = formatAliasLine('', '').length;
  let copied = 0;
  let at = ALIAS_HEADER.length;
  let next = 0;
  for (let i = 0; i < before.modules.length || i < after.modules.length; i++) {
    const kept = before.facts[i];
    const name = before.modules[i]?.name ?? '';
    // Each alias has a NUL behind it where it is kept, for which a line has what stands around the two names.
    const end = at + (kept === undefined ? 0 : kept.aliasBytes + kept.aliasCount * (around - 1 + name.length));
    if (i === positions[next]) {
      next++;
      const module = after.modules[i]?.name ?? '';
      const lines = after.facts[i]?.aliases.map(alias => formatAliasLine(alias, module)) ?? [];
      pieces.push(old.subarray(copied, at), Buffer.from(lines.join(''), 'latin1'));
      copied = end;
    }
    at = end;
  }
  pieces.push(old.subarray(copied, at));
  return at === old.length ? Buffer.concat(pieces) : undefined;
}

function spliceSymbols({ before, after, names, positions }: TreeChange, read: ReadOutput): Spliced {
  if (positions.every(i => saysTheSame(before, after, i, ({ exports }) => exports))) return [];
  const owners = symbolOwners(before.facts, names.count);
  const change: PairChange = { removed: [], added: [] };
  const changed = new Set(positions);
  for (const [symbol, owner] of symbolOwners(after.facts, names.count).entries()) {
    const was = owners[symbol] ?? -1;
    if (was === owner && !changed.has(owner)) continue;
    const key = SYMBOL_PREFIX + names.text(symbol);
    if (was >= 0) change.removed.push({ key, value: before.modules[was]?.name ?? '', priority: was });
    if (owner >= 0) change.added.push({ key, value: after.modules[owner]?.name ?? '', priority: owner });
  }
  return withIndex('modules.symbols', change, read, old => spliceSymbolText(change, old));
}

/** Lines stand in the order of depmod's table, so each place is found by halves. */
function spliceSymbolText({ removed, added }: PairChange, old: Buffer): Buffer | undefined {
  const lines = old.toString('latin1', SYMBOL_HEADER.length).split('\n');
  // What is behind the last newline.
  lines.pop();
  for (const { key, value } of removed) {
    const place = placeOfSymbol(lines, key);
    if (place === undefined || `${lines[place]}\n` !== formatAliasLine(key, value)) return undefined;
    lines.splice(place, 1);
  }
  for (const { key, value } of added) {
    const place = placeOfSymbol(lines, key);
    if (place === undefined || key.includes(' ')) return undefined;
    lines.splice(place, 0, formatAliasLine(key, value).slice(0, -1));
  }
  return Buffer.from(SYMBOL_HEADER + lines.map(line => `${line}\n`).join(''), 'latin1');
}

/** Where the line of a key is or belongs; undefined when a line on the way is not one of three words. */
function placeOfSymbol(lines: readonly string[], key: string): number | undefined {
  const symbol = key.slice(SYMBOL_PREFIX.length);
  const bucket = bucketOf(symbol);
  let from = 0;
  let to = lines.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const [, found = '', ...others] = lines[middle]?.split(' ') ?? [];
    if (others.length !== 1) return undefined;
    const own = found.slice(SYMBOL_PREFIX.length);
    const difference = bucketOf(own) - bucket;
    if (difference < 0 || (difference === 0 && own < symbol)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function bucketOf(symbol: string): number {
  return superFastHash(symbol) & (SYMBOL_BUCKETS - 1);
}

/** The files few modules have a line in, made anew when one of those has changed. */
function remakeSmall({ before, after, positions }: TreeChange): Spliced {
  const differs = (list: ListOf): boolean => positions.some(i => !saysTheSame(before, after, i, list));
  const hasNode = ({ aliases }: ModuleFacts): boolean => aliases.some(alias => alias.startsWith('devname:'));
  const outputs: DepmodOutput[] = [];
  if (differs(({ softdeps }) => softdeps) || differs(({ weakdeps }) => weakdeps))
    outputs.push(...softdepOutputs(after).outputs);
  if (differs(facts => (hasNode(facts) ? facts.aliases : []))) {
    const { outputs: made, problems } = devnameOutput(after);
    if (problems.length > 0) return undefined;
    outputs.push(...made);
  }
  return outputs;
}

/** Something of what a module says. */
type ListOf = (facts: ModuleFacts) => ArrayLike<unknown>;

/** Whether at a position nothing is said now as before, or the same by a module of the same name. */
function saysTheSame(before: NamedTree, after: NamedTree, position: number, of: ListOf): boolean {
  const [was, is] = [of(before.facts[position] ?? NO_FACTS), of(after.facts[position] ?? NO_FACTS)];
  if (was.length !== is.length) return false;
  for (let i = 0; i < is.length; i++) if (was[i] !== is[i]) return false;
  return is.length === 0 || before.modules[position]?.name === after.modules[position]?.name;
}
