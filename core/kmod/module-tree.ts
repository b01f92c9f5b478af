import path from 'node:path';
import { moduleNameOfPath, type ModuleName } from '../vocabulary/module-name.ts';
import type { Problem } from '../vocabulary/place.ts';
import type { IndexEntry } from './index/index-format.ts';
import type { AliasCaches } from './lookup/alias-cache.ts';
import { AliasIndex } from './lookup/alias-index.ts';
import { normaliseAlias } from './lookup/normalise-alias.ts';
import { parseModulesAlias } from './maps/modules-alias.ts';
import { parseModulesBuiltin } from './maps/modules-builtin.ts';
import { parseModulesBuiltinModinfo, type BuiltinModinfo } from './maps/modules-builtin-modinfo.ts';
import { depLineModule, formatDepLine, parseDepLine, parseModulesDep } from './maps/modules-dep.ts';
import { excerpt, type MapFile } from './maps/text-lines.ts';
import { openIndexSource, readMapFile, type IndexSource } from './tree/index-source.ts';
import { WatchedFiles } from './tree/watched-files.ts';

/** One module of a tree, as modules.dep has it. */
export interface ModuleEntry {
  readonly name: ModuleName;
  /** Relative to the release's folder, or absolute. */
  readonly path: string;
  /** All it needs, directly or not, in the order of modules.dep: users before what they use. */
  readonly dependencies: readonly ModuleName[];
}

/** The tables of a release, and what reads the text of each → the pairs its .bin holds. */
const TABLES = {
  dep: { binary: 'modules.dep.bin', text: 'modules.dep', read: readDep },
  alias: { binary: 'modules.alias.bin', text: 'modules.alias', read: readAlias },
  symbols: { binary: 'modules.symbols.bin', text: 'modules.symbols', read: readAlias },
  builtin: { binary: 'modules.builtin.bin', text: 'modules.builtin', read: readBuiltin },
  builtinAlias: { binary: 'modules.builtin.alias.bin', text: 'modules.builtin.modinfo', read: readBuiltinAlias },
} as const;

type Table = keyof typeof TABLES;

/**
 * One release's folder below /lib/modules, as depmod left it. Nothing is read before it is asked for; the .bin files are
 * preferred, and the text files answer alike where those are missing or damaged. Source: depmod(8), modules.dep(5).
 */
export class ModuleTree {
  readonly dir: string;
  /** Stands before a file's name. */
  readonly #folder: string;
  readonly #caches: AliasCaches | undefined;
  readonly #problems: Problem[] = [];
  readonly #watched = new WatchedFiles();
  readonly #sources = new Map<Table, IndexSource>();
  readonly #entries = new Map<ModuleName, ModuleEntry | undefined>();
  /** Of those, and of what is built in, which are: asked for each module of every plan. */
  readonly #builtins = new Map<ModuleName, boolean>();
  #aliases: AliasIndex | undefined;
  #builtinAliases: AliasIndex | undefined;
  #symbols: AliasIndex | undefined;
  #names: readonly ModuleName[] | undefined;
  #modinfo: readonly BuiltinModinfo[] | undefined;

  private constructor(dir: string, caches: AliasCaches | undefined) {
    this.dir = dir;
    this.#folder = dir.endsWith('/') ? dir : `${dir}/`;
    this.#caches = caches;
  }

  /** A folder that is not there makes an empty tree with a problem. `caches.dir` is where the compiled aliases may be kept. */
  static open(dir: string, { caches }: { readonly caches?: AliasCaches } = {}): ModuleTree {
    return new ModuleTree(path.isAbsolute(dir) ? dir : path.resolve(dir), caches);
  }

  /** What could not be read so far. Grows as more is asked for. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Files the answers so far were read from; some may not exist. */
  get files(): readonly string[] {
    return this.#watched.files;
  }

  /** Whether one of those files has changed, come or gone since it was read. */
  isStale(): boolean {
    return this.#watched.isStale();
  }

  /** A module by its name. */
  module(name: ModuleName): ModuleEntry | undefined {
    if (this.#entries.has(name)) return this.#entries.get(name);
    const value = this.#source('dep').search(name);
    const entry = value === undefined ? undefined : this.#entryOf(value);
    // Names that are not there come from outside without end, so only the others are kept.
    if (entry) this.#entries.set(name, entry);
    return entry;
  }

  /** Every module of the tree, in the order of modules.dep. */
  moduleNames(): readonly ModuleName[] {
    this.#names ??= this.#source('dep')
      .entries()
      .toSorted((a, b) => a.priority - b.priority)
      .map(({ key }) => key as ModuleName);
    return this.#names;
  }

  isBuiltin(name: ModuleName): boolean {
    const known = this.#builtins.get(name);
    if (known !== undefined) return known;
    const isBuiltin = this.#source('builtin').search(name) !== undefined;
    if (isBuiltin || this.#entries.has(name)) this.#builtins.set(name, isBuiltin);
    return isBuiltin;
  }

  /** The modules that are part of the kernel itself, in byte order of their names. */
  builtinNames(): readonly ModuleName[] {
    return this.#source('builtin')
      .entries()
      .map(({ key }) => key as ModuleName);
  }

  /** What a builtin module says of itself (modules.builtin.modinfo), in file order. */
  builtinModinfo(name: ModuleName): readonly BuiltinModinfo[] {
    this.#modinfo ??= this.#readModinfo();
    return this.#modinfo.filter(({ module }) => module === name);
  }

  /** Where a module's file is. */
  filePath({ path: file }: ModuleEntry): string {
    return path.isAbsolute(file) ? file : `${this.dir}/${file}`;
  }

  /** Patterns of the modules. */
  aliasIndex(): AliasIndex {
    return (this.#aliases ??= new AliasIndex(() => this.#open('alias'), 'modules.alias', this.#caches));
  }

  /** Patterns of what is built in. */
  builtinAliasIndex(): AliasIndex {
    return (this.#builtinAliases ??= new AliasIndex(
      () => this.#open('builtinAlias'),
      'modules.builtin.alias',
      this.#caches,
    ));
  }

  /** `symbol:NAME` → the module that exports it. */
  symbolIndex(): AliasIndex {
    return (this.#symbols ??= new AliasIndex(() => this.#open('symbols'), 'modules.symbols'));
  }

  /**
   * Has everything there that devices and modules are looked up in: some milliseconds, or two tenths of a second when the patterns have
   * to be compiled. For who answers for long, and must not do it when an event comes.
   */
  prepare(): void {
    this.aliasIndex().prepare();
    this.builtinAliasIndex().prepare();
    this.#source('dep').readAll();
    this.#source('builtin').readAll();
  }

  /** The files the modules and the builtin modules are looked up in. */
  get depFile(): string {
    return this.#source('dep').file;
  }

  get builtinFile(): string {
    return this.#source('builtin').file;
  }

  /** The text the patterns of the modules stand in, line by line. */
  get aliasText(): string {
    return `${this.#folder}modules.alias`;
  }

  /** Files that are part of modprobe's configuration; they may not exist. */
  get softdepFile(): string {
    return `${this.#folder}modules.softdep`;
  }

  get weakdepFile(): string {
    return `${this.#folder}modules.weakdep`;
  }

  #source(table: Table): IndexSource {
    const source = this.#sources.get(table) ?? this.#open(table);
    this.#sources.set(table, source);
    return source;
  }

  #open(table: Table): IndexSource {
    const { binary, text, read } = TABLES[table];
    const files = { binary: this.#folder + binary, text: this.#folder + text };
    this.#watched.note(files.binary);
    this.#watched.note(files.text);
    const source = openIndexSource({ ...files, read, problems: this.#problems });
    if (table === 'dep' && source.file === files.text && source.entries().length === 0) {
      this.#problems.push({
        place: { file: files.text },
        message: 'neither it nor its .bin names a module, wanted what depmod writes',
      });
    }
    return source;
  }

  #entryOf(value: string): ModuleEntry | undefined {
    const line = parseDepLine(value);
    if (line === undefined) {
      this.#problems.push({
        place: { file: this.#source('dep').file },
        message: `found "${excerpt(value)}", wanted "PATH: PATH…"`,
      });
      return undefined;
    }
    return { name: depLineModule(line), path: line.path, dependencies: line.dependencies.map(moduleNameOfPath) };
  }

  #readModinfo(): readonly BuiltinModinfo[] {
    const file = this.#folder + TABLES.builtinAlias.text;
    this.#watched.note(file);
    const { entries, problems } = parseModulesBuiltinModinfo(
      readMapFile(file, this.#problems)?.toString('latin1') ?? '',
      file,
    );
    this.#problems.push(...problems);
    return entries;
  }
}

function readDep(text: string, file: string): MapFile<IndexEntry> {
  const { entries, problems } = parseModulesDep(text, file);
  return {
    entries: entries.map((line, priority) => ({ key: depLineModule(line), value: formatDepLine(line), priority })),
    problems,
  };
}

/** The text has no priorities: depmod writes the modules in that order, so the first line of each says it. */
function readAlias(text: string, file: string): MapFile<IndexEntry> {
  const { entries, problems } = parseModulesAlias(text, file);
  const priorities = new Map<string, number>();
  const pairs: IndexEntry[] = [];
  const unpaired: Problem[] = [];
  for (const { pattern, module, line } of entries) {
    const priority = priorities.get(module) ?? priorities.size;
    priorities.set(module, priority);
    const key = normaliseAlias(pattern);
    if (key !== undefined) pairs.push({ key, value: module, priority });
    else {
      unpaired.push({ place: { file, line }, message: `found the pattern "${pattern}", wanted its brackets in pairs` });
    }
  }
  return { entries: pairs, problems: [...problems, ...unpaired] };
}

/** depmod gives everything that is built in the same priority. */
function readBuiltin(text: string): MapFile<IndexEntry> {
  return { entries: parseModulesBuiltin(text).map(name => ({ key: name, value: '', priority: 0 })), problems: [] };
}

function readBuiltinAlias(text: string, file: string): MapFile<IndexEntry> {
  const { entries, problems } = parseModulesBuiltinModinfo(text, file);
  const pairs = entries.flatMap(({ module, key, value }) => {
    const pattern = key === 'alias' ? normaliseAlias(value) : undefined;
    return pattern === undefined ? [] : [{ key: pattern, value: module, priority: 0 }];
  });
  return { entries: pairs, problems };
}
