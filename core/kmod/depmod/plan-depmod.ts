import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { Decompressors } from '../ko/compression.ts';
import { linkModules, OWNED_BY_NOBODY, symbolOwners } from './dependency-graph.ts';
import type { DepmodConfig } from './depmod-conf.ts';
import {
  aliasOutputs,
  builtinOutputs,
  dependencyOutputs,
  type DepmodOutput,
  devnameOutput,
  type DuplicateAlias,
  duplicateAliases,
  type LinkedTree,
  softdepOutputs,
  symbolOutputs,
} from './depmod-outputs.ts';
import { ASSUMED_SYMBOLS, type KnownSymbol } from './known-symbols.ts';
import { FactsReader } from './module-facts.ts';
import { type AsideUnpacking, type FactsSource, readAside, type ReadFacts, readFacts } from './read-facts.ts';
import { namedModules, type ScannedModule, type ScannedTree, scanTree } from './scan-tree.ts';
import { SymbolNames } from './symbol-names.ts';
import { withoutPrefix } from './symbol-prefix.ts';

/** What is to be indexed. */
export interface DepmodRequest {
  /** Folder of the release. */
  readonly dir: string;
  readonly config: DepmodConfig;
  readonly unpackers: Decompressors;
  /** The kernel's own symbols (depmod -E, -F): what nobody has is then a problem. */
  readonly knownSymbols?: readonly KnownSymbol[];
  /** Whether checksums are compared with the exporter's (depmod -E). */
  readonly checkVersions?: boolean;
  /** Absolute module files that alone are indexed (depmod VERSION FILE…), no two of one name. */
  readonly files?: readonly string[] | undefined;
  /** A character that symbols may have before their name (depmod -P). */
  readonly symbolPrefix?: string | undefined;
}

/** Why a module depends on another: the symbol of the other that it needs first. */
export interface DependencyReason {
  readonly module: ScannedModule;
  readonly symbol: string;
  readonly owner: ScannedModule;
}

/** What depmod would do, as a value: nothing is written yet. */
export interface DepmodPlan {
  /** In array order; a module's position is its priority in the indexes. */
  readonly modules: readonly ScannedModule[];
  /** Closed ways of modules that need each other. When there is one, there are no outputs. */
  readonly cycles: readonly (readonly ModuleName[])[];
  /** How many modules lie on those. */
  readonly modulesInCycles: number;
  readonly outputs: readonly DepmodOutput[];
  readonly problems: readonly Problem[];
  /** One for each direct dependency, in the order they were found (depmod -v). */
  readonly reasons: () => readonly DependencyReason[];
  /** What modules.alias.bin has twice (depmod -w). */
  readonly duplicates: () => readonly DuplicateAlias[];
}

/** A source that reads every file. */
export function fileFacts({
  unpackers,
  checkVersions = false,
}: Pick<DepmodRequest, 'unpackers' | 'checkVersions'>): FactsSource {
  const names = new SymbolNames();
  const reader = new FactsReader(names, unpackers, { withCrcs: checkVersions });
  return {
    names,
    isKept: () => false,
    facts: ({ file }, unpacked) => (unpacked === undefined ? reader.read(file) : reader.readUnpacked(unpacked)),
  };
}

/**
 * A release's folder → all files depmod(8) would write there, byte for byte those of Debian's depmod 30 (which has no
 * modules.weakdep). A module that cannot be read is a problem and counts as one that needs nothing.
 */
export function planDepmod(request: DepmodRequest, source: FactsSource = fileFacts(request)): DepmodPlan {
  const { modules, problems } = modulesOf(request);
  const read = modules.map(module => readFacts(module, () => source.facts(module)));
  return planOf(request, modules, read, source.names, problems);
}

/** All modules of a folder as they were read: what a plan is made of, together with what depmod builds on beside them. */
export interface ReadTree extends ScannedTree {
  /** One for each module, in their order. */
  readonly read: readonly ReadFacts[];
  readonly names: SymbolNames;
}

/** Reads all modules, packed ones being unpacked by other threads meanwhile. */
export async function readTreeAside(
  request: DepmodRequest,
  aside: AsideUnpacking,
  source: FactsSource = fileFacts(request),
): Promise<ReadTree> {
  const scanned = modulesOf(request);
  return { ...scanned, read: await readAside(scanned.modules, source, aside), names: source.names };
}

/** Modules that were read → the plan. */
export function planTree(request: DepmodRequest, { modules, read, names, problems }: ReadTree): DepmodPlan {
  return planOf(request, modules, read, names, problems);
}

/** The same plan as planDepmod's, packed modules being unpacked by other threads meanwhile. */
export async function planDepmodAside(
  request: DepmodRequest,
  aside: AsideUnpacking,
  source: FactsSource = fileFacts(request),
): Promise<DepmodPlan> {
  return planTree(request, await readTreeAside(request, aside, source));
}

function modulesOf({ dir, config, files }: DepmodRequest): ScannedTree {
  return files === undefined ? scanTree(dir, config) : namedModules(dir, files);
}

/** Modules and their facts → the plan. */
function planOf(
  { dir, knownSymbols, checkVersions, symbolPrefix = '' }: DepmodRequest,
  modules: readonly ScannedModule[],
  read: readonly ReadFacts[],
  names: SymbolNames,
  scanProblems: readonly Problem[],
): DepmodPlan {
  const facts = read.map(one => one.facts);
  const problems = [...scanProblems, ...read.flatMap(({ problem }) => problem ?? [])];
  const known = knownSymbols?.map(({ name, crc }) => ({ number: names.numberOf(name), crc })) ?? [];
  const assumed = knownSymbols === undefined ? [] : ASSUMED_SYMBOLS.map(name => names.numberOf(name));
  const keyOf = withoutPrefix(names, symbolPrefix);
  const kernel = [...known.map(({ number }) => number), ...assumed];
  const owners = symbolOwners(facts, names.count, kernel, keyOf);
  const needed = symbolPrefix === '' ? owners : owners.map((_, symbol) => owners[keyOf(symbol)] ?? OWNED_BY_NOBODY);
  const graph = linkModules(facts, needed);
  const tree: LinkedTree = { modules, facts, graph, owners, names };
  if (knownSymbols !== undefined) {
    problems.push(...unknownSymbols({ ...tree, owners: needed }));
    if (checkVersions)
      problems.push(...disagreements(tree, new Map(known.map(({ number, crc }) => [number, crc])), keyOf));
  }
  const asked = {
    reasons: () => reasonsOf(tree, keyOf),
    duplicates: () => duplicateAliases(tree),
  };
  if (graph.cycles.length > 0) {
    const cycles = graph.cycles.map(cycle => cycle.flatMap(module => modules[module]?.name ?? []));
    return { modules, cycles, modulesInCycles: new Set(graph.cycles.flat()).size, outputs: [], problems, ...asked };
  }
  const modinfoFile = path.join(dir, 'modules.builtin.modinfo');
  const written = [
    dependencyOutputs(tree),
    aliasOutputs(tree),
    softdepOutputs(tree),
    symbolOutputs(tree),
    builtinOutputs(readText(path.join(dir, 'modules.builtin'), problems), readText(modinfoFile, problems), modinfoFile),
    devnameOutput(tree),
  ];
  problems.push(...written.flatMap(part => part.problems));
  const outputs = written.flatMap(part => part.outputs);
  return { modules, cycles: [], modulesInCycles: 0, outputs, problems, ...asked };
}

function reasonsOf(
  { modules, facts, graph, owners, names }: LinkedTree,
  keyOf: (symbol: number) => number,
): DependencyReason[] {
  return modules.flatMap((module, i) =>
    (graph.dependencies[i] ?? []).flatMap(dependency => {
      const owner = modules[dependency];
      const need = facts[i]?.needs.find(one => owners[keyOf(one >> 1)] === dependency);
      return owner === undefined || need === undefined ? [] : [{ module, symbol: names.text(keyOf(need >> 1)), owner }];
    }),
  );
}

/** Symbols that a module needs and nobody has; a weak one may be missing. */
function unknownSymbols({ modules, facts, owners, names }: LinkedTree): Problem[] {
  const problems: Problem[] = [];
  for (const [module, { needs }] of facts.entries()) {
    for (const need of needs) {
      if ((need & 1) === 1 || owners[need >> 1] !== OWNED_BY_NOBODY) continue;
      const file = modules[module]?.file ?? '';
      problems.push({ place: { file }, message: `needs unknown symbol ${names.text(need >> 1)}` });
    }
  }
  return problems;
}

/** Symbols whose checksum is another for the module than for who exports it. */
function disagreements(
  { modules, facts, names }: LinkedTree,
  kernelCrcs: ReadonlyMap<number, number | undefined>,
  keyOf: (symbol: number) => number,
): Problem[] {
  const crcs = new Map(kernelCrcs);
  for (const { exports, exportCrcs } of facts)
    for (const [i, symbol] of exports.entries()) crcs.set(keyOf(symbol), exportCrcs?.[i]);
  const problems: Problem[] = [];
  for (const [module, { needs, needCrcs }] of facts.entries()) {
    for (const [i, need] of needs.entries()) {
      const crc = crcs.get(keyOf(need >> 1));
      if ((need & 1) === 1 || crc === undefined || crc === needCrcs?.[i]) continue;
      const file = modules[module]?.file ?? '';
      problems.push({ place: { file }, message: `disagrees about version of symbol ${names.text(need >> 1)}` });
    }
  }
  return problems;
}

function readText(file: string, problems: Problem[]): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    problems.push({ place: { file }, message: `cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}
