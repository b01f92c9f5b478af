import { moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { IndexEntry } from '../index/index-format.ts';
import { isIndexKey, writeIndex } from '../index/index-writer.ts';
import { normaliseAlias } from '../lookup/normalise-alias.ts';
import { formatAliasLine } from '../maps/modules-alias.ts';
import { parseModulesBuiltinModinfo } from '../maps/modules-builtin-modinfo.ts';
import { formatDepLine } from '../maps/modules-dep.ts';
import { formatDevnameLine } from '../maps/modules-devname.ts';
import { formatSoftdepLine } from '../maps/modules-softdep.ts';
import { formatSymbolLine, SYMBOL_PREFIX } from '../maps/modules-symbols.ts';
import { formatWeakdepLine } from '../maps/modules-weakdep.ts';
import { closuresOf, type DependencyGraph } from './dependency-graph.ts';
import { inHashOrder, SYMBOL_BUCKETS } from './hash-order.ts';
import type { ModuleFacts } from './module-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import type { SymbolNames } from './symbol-names.ts';

/** The files depmod writes, in the order `depmod -n` prints the texts among them. */
export const TEXT_OUTPUTS = [
  'modules.dep',
  'modules.alias',
  'modules.softdep',
  'modules.weakdep',
  'modules.symbols',
  'modules.devname',
] as const;

/** All files depmod writes. */
export const DEPMOD_FILES: readonly string[] = [
  ...TEXT_OUTPUTS,
  'modules.dep.bin',
  'modules.alias.bin',
  'modules.symbols.bin',
  'modules.builtin.bin',
  'modules.builtin.alias.bin',
];

/** First lines of modules.alias and modules.symbols. */
export const ALIAS_HEADER = '# Aliases extracted from modules themselves.\n';
export const SYMBOL_HEADER = '# Aliases for symbols, used by symbol_request().\n';

/** One file to write. */
export interface DepmodOutput {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Modules and what they say, in array order. */
export interface FactTree {
  readonly modules: readonly ScannedModule[];
  readonly facts: readonly ModuleFacts[];
}

/** Everything that is known of the modules of a tree, in array order. */
export interface LinkedTree extends FactTree {
  readonly graph: DependencyGraph;
  readonly owners: Int32Array;
  readonly names: SymbolNames;
}

/** An alias that one module has more than once. */
export interface DuplicateAlias {
  /** Normalised, as the index has it. */
  readonly alias: string;
  readonly module: ModuleName;
}

/** What an output comes to, and what had to be left out of it. */
interface Written {
  readonly outputs: readonly DepmodOutput[];
  readonly problems: readonly Problem[];
}

/** modules.dep and modules.dep.bin: one line, and one value, a module. */
export function dependencyOutputs(tree: LinkedTree): Written {
  const { modules } = tree;
  const lines = dependencyLines(tree);
  const entries = lines.map((value, priority) => ({ key: modules[priority]?.name ?? '', value, priority }));
  const sound = splitKeys(entries, 'modules.dep.bin', key => key);
  return {
    outputs: [
      { name: 'modules.dep', bytes: latin1(lines.map(line => `${line}\n`).join('')) },
      indexOutput('modules.dep.bin', sound.entries),
    ],
    problems: sound.problems,
  };
}

/** The lines of modules.dep, one a module, without newlines. */
export function dependencyLines({ modules, graph }: Pick<LinkedTree, 'modules' | 'graph'>): readonly string[] {
  const closureOf = closuresOf(graph);
  return modules.map(({ path }, module) =>
    formatDepLine({ path, dependencies: closureOf(module).map(other => modules[other]?.path ?? '') }),
  );
}

/** modules.alias with the patterns as they are, modules.alias.bin with them normalised. */
export function aliasOutputs({ modules, facts }: LinkedTree): Written {
  const lines = [ALIAS_HEADER];
  const entries: IndexEntry[] = [];
  for (const [priority, { aliases }] of facts.entries()) {
    const value = modules[priority]?.name ?? '';
    for (const alias of aliases) {
      lines.push(formatAliasLine(alias, value));
      entries.push({ key: alias, value, priority });
    }
  }
  const sound = splitKeys(entries, 'modules.alias.bin', normaliseAlias);
  return {
    outputs: [
      { name: 'modules.alias', bytes: latin1(lines.join('')) },
      indexOutput('modules.alias.bin', sound.entries),
    ],
    problems: sound.problems,
  };
}

/** Aliases a module repeats, each time but the first, in array order: what `depmod -w` warns of. */
export function duplicateAliases({ modules, facts }: LinkedTree): DuplicateAlias[] {
  return modules.flatMap(({ name: module }, i) => {
    const seen = new Set<string>();
    return (facts[i]?.aliases ?? []).flatMap(pattern => {
      const alias = normaliseAlias(pattern);
      if (alias === undefined || !isIndexKey(alias)) return [];
      if (seen.has(alias)) return [{ alias, module }];
      seen.add(alias);
      return [];
    });
  });
}

/** modules.symbols in the order of depmod's hash table, and modules.symbols.bin. */
export function symbolOutputs({ modules, owners, names }: LinkedTree): Written {
  const exported: { symbol: string; owner: number }[] = [];
  for (const [symbol, owner] of owners.entries()) if (owner >= 0) exported.push({ symbol: names.text(symbol), owner });
  const ordered = inHashOrder(exported, ({ symbol }) => symbol, SYMBOL_BUCKETS);
  const nameOf = (owner: number): string => modules[owner]?.name ?? '';
  const lines = ordered.map(({ symbol, owner }) => formatSymbolLine(symbol, nameOf(owner)));
  const entries = ordered.map(({ symbol, owner }) => ({
    key: SYMBOL_PREFIX + symbol,
    value: nameOf(owner),
    priority: owner,
  }));
  const sound = splitKeys(entries, 'modules.symbols.bin', key => key);
  return {
    outputs: [
      { name: 'modules.symbols', bytes: latin1(SYMBOL_HEADER + lines.join('')) },
      indexOutput('modules.symbols.bin', sound.entries),
    ],
    problems: sound.problems,
  };
}

/** modules.softdep and modules.weakdep, which modprobe reads as configuration. */
export function softdepOutputs({ modules, facts }: FactTree): Written {
  const softdeps = ['# Soft dependencies extracted from modules themselves.\n'];
  const weakdeps = ['# Weak dependencies extracted from modules themselves.\n'];
  for (const [module, { softdeps: soft, weakdeps: weak }] of facts.entries()) {
    const name = modules[module]?.name ?? '';
    softdeps.push(...soft.map(text => formatSoftdepLine(name, text)));
    weakdeps.push(...weak.map(text => formatWeakdepLine(name, text)));
  }
  return {
    outputs: [
      { name: 'modules.softdep', bytes: latin1(softdeps.join('')) },
      { name: 'modules.weakdep', bytes: latin1(weakdeps.join('')) },
    ],
    problems: [],
  };
}

/** modules.devname: modules with a `devname:` alias and the numbers of its node. Its header is there only when a line is. */
export function devnameOutput({ modules, facts }: FactTree): Written {
  const lines: string[] = [];
  const problems: Problem[] = [];
  for (const [module, { aliases }] of facts.entries()) {
    const scanned = modules[module];
    const node = scanned && deviceNode(aliases);
    if (scanned === undefined || node?.node === undefined) continue;
    const { node: path, type, major, minor } = node;
    if (type === undefined) {
      problems.push({
        place: { file: scanned.file },
        message: `has the device name "${path}" without numbers, wanted an alias char-major-N-M or block-major-N-M, too`,
      });
    } else lines.push(formatDevnameLine({ module: scanned.name, node: path, type, major, minor }));
  }
  const header = lines.length > 0 ? '# Device nodes to trigger on-demand module loading.\n' : '';
  return { outputs: [{ name: 'modules.devname', bytes: latin1(header + lines.join('')) }], problems };
}

interface DeviceNode {
  node: string | undefined;
  type: 'c' | 'b' | undefined;
  major: number;
  minor: number;
}

/** Reads aliases until both a name and numbers are there; of several before that the last counts. */
function deviceNode(aliases: readonly string[]): DeviceNode {
  const found: DeviceNode = { node: undefined, type: undefined, major: 0, minor: 0 };
  for (const alias of aliases) {
    const [, kind, major, minor] = /^(char|block)-major-(\d{1,9})-(\d{1,9})/.exec(alias) ?? [];
    if (alias.startsWith('devname:')) found.node = alias.slice('devname:'.length);
    else if (kind !== undefined) {
      found.type = kind === 'char' ? 'c' : 'b';
      found.major = Number(major);
      found.minor = Number(minor);
    }
    if (found.node !== undefined && found.type !== undefined) break;
  }
  return found;
}

/**
 * modules.builtin.bin and modules.builtin.alias.bin from what the kernel's build left; a text that is not there (undefined) makes a
 * file of no bytes.
 */
export function builtinOutputs(builtin: string | undefined, modinfo: string | undefined, modinfoFile: string): Written {
  const names: ModuleName[] = (builtin ?? '')
    .split('\n')
    .filter(line => line !== '')
    .map(moduleNameOfPath);
  const parsed = parseModulesBuiltinModinfo(modinfo ?? '', modinfoFile);
  const aliases = parsed.entries.flatMap(({ module, key, value }) =>
    key === 'alias' ? [{ key: value, value: module, priority: 0 }] : [],
  );
  const sound = splitKeys(aliases, modinfoFile, normaliseAlias);
  return {
    outputs: [
      indexOutput(
        'modules.builtin.bin',
        builtin === undefined ? undefined : names.map(key => ({ key, value: '', priority: 0 })),
      ),
      indexOutput('modules.builtin.alias.bin', modinfo === undefined ? undefined : sound.entries),
    ],
    problems: [...parsed.problems, ...sound.problems],
  };
}

/** An index, or without entries a file of no bytes. It is made when its bytes are first asked for: depmod -n prints none. */
function indexOutput(name: string, entries: readonly IndexEntry[] | undefined): DepmodOutput {
  let made: Buffer | undefined;
  return {
    name,
    get bytes() {
      return (made ??= entries === undefined ? Buffer.alloc(0) : writeIndex(entries));
    },
  };
}

/** Pairs with the key an index has for them; those no index can have are named, and left out of the .bin only. */
function splitKeys(
  pairs: readonly IndexEntry[],
  file: string,
  keyOf: (key: string) => string | undefined,
): { readonly entries: readonly IndexEntry[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const entries: IndexEntry[] = [];
  for (const pair of pairs) {
    const key = keyOf(pair.key);
    if (key !== undefined && isIndexKey(key)) entries.push(key === pair.key ? pair : { ...pair, key });
    else {
      const wanted = key === undefined ? 'its brackets in pairs' : 'characters of 7 bits';
      problems.push({ place: { file }, message: `left out "${pair.key}" of ${pair.value}, wanted ${wanted}` });
    }
  }
  return { entries, problems };
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
