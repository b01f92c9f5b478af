import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Problem } from '../../vocabulary/place.ts';
import { listConfFiles, namedSources, readConfFile } from './conf-files.ts';
import type { Directive, DirectiveOf } from './directive.ts';
import { parseKernelCommandLine, type KernelBlacklistEntry } from './kernel-command-line.ts';
import { parseModprobeConf } from './modprobe-conf.ts';
import { PatternList } from './pattern-list.ts';

/** Where modprobe's configuration comes from. */
export interface ModprobeConfigSources {
  /** modprobe.d folders, strongest first. */
  readonly dirs: readonly string[];
  /** Files and folders named in place of `dirs` (modprobe -C). */
  readonly files?: readonly string[] | undefined;
  /** The module tree's modules.softdep and modules.weakdep; they sort in by their names. */
  readonly treeFiles: readonly string[];
  /** Text of /proc/cmdline and where it was read; it comes last. */
  readonly commandLine?: { readonly text: string; readonly file: string } | undefined;
}

/** All of modprobe's configuration, merged: directives in the order they count, and look-ups by module. */
export class ModprobeConfig {
  readonly directives: readonly Directive[];
  readonly problems: readonly Problem[];
  /** Every file and folder whose change makes this stale; some may not exist. */
  readonly files: readonly string[];
  /** Modules the kernel refuses by itself (`module_blacklist=`). */
  readonly kernelBlacklist: readonly KernelBlacklistEntry[];
  readonly #aliases: PatternList<DirectiveOf<'alias'>>;
  readonly #install: PatternList<DirectiveOf<'install'>>;
  readonly #remove: PatternList<DirectiveOf<'remove'>>;
  readonly #softdeps: PatternList<DirectiveOf<'softdep'>>;
  readonly #weakdeps: PatternList<DirectiveOf<'weakdep'>>;
  readonly #blacklist: Map<string, DirectiveOf<'blacklist'>>;
  readonly #options: readonly DirectiveOf<'options'>[];

  constructor(
    directives: readonly Directive[],
    {
      problems = [],
      files = [],
      kernelBlacklist = [],
    }: {
      readonly problems?: readonly Problem[];
      readonly files?: readonly string[];
      readonly kernelBlacklist?: readonly KernelBlacklistEntry[];
    } = {},
  ) {
    this.directives = directives;
    this.problems = problems;
    this.files = files;
    this.kernelBlacklist = kernelBlacklist;
    const byKind: ByKind = Object.groupBy(directives, ({ kind }) => kind);
    this.#aliases = new PatternList(ofKind(byKind, 'alias'), ({ pattern }) => pattern);
    this.#install = new PatternList(ofKind(byKind, 'install'), ({ pattern }) => pattern);
    this.#remove = new PatternList(ofKind(byKind, 'remove'), ({ pattern }) => pattern);
    this.#softdeps = new PatternList(ofKind(byKind, 'softdep'), ({ module }) => module);
    this.#weakdeps = new PatternList(ofKind(byKind, 'weakdep'), ({ module }) => module);
    this.#options = ofKind(byKind, 'options');
    // A later entry of a Map replaces an earlier one, and the first line is the one that counts.
    this.#blacklist = new Map(
      ofKind(byKind, 'blacklist')
        .toReversed()
        .map(line => [line.module, line]),
    );
  }

  /** Every alias line whose pattern matches a normalised query, in order. */
  aliasesMatching(query: string): readonly DirectiveOf<'alias'>[] {
    return this.#aliases.matching(query);
  }

  /** Every options line of a module, and of the alias it was found by, in order; their texts are joined by blanks. */
  optionsOf(module: ModuleName, alias?: string): readonly DirectiveOf<'options'>[] {
    return this.#options.filter(line => line.module === module || line.module === alias);
  }

  /** The first blacklist line of exactly this name. */
  isBlacklisted(module: ModuleName): DirectiveOf<'blacklist'> | undefined {
    return this.#blacklist.get(module);
  }

  /** The first install line whose pattern matches. */
  installCommand(module: ModuleName): DirectiveOf<'install'> | undefined {
    return this.#install.first(module);
  }

  /** The first remove line whose pattern matches. */
  removeCommand(module: ModuleName): DirectiveOf<'remove'> | undefined {
    return this.#remove.first(module);
  }

  /** The first softdep line that matches; modprobe does not merge several. */
  softdepOf(module: ModuleName): DirectiveOf<'softdep'> | undefined {
    return this.#softdeps.first(module);
  }

  /** The first weakdep line that matches. */
  weakdepOf(module: ModuleName): DirectiveOf<'weakdep'> | undefined {
    return this.#weakdeps.first(module);
  }

  /** The install line written for exactly this text, by which a name without a file can be asked for. */
  installNamed(name: string): DirectiveOf<'install'> | undefined {
    return this.#install.written(name);
  }

  /** The same for remove lines. */
  removeNamed(name: string): DirectiveOf<'remove'> | undefined {
    return this.#remove.written(name);
  }
}

/**
 * Reads modprobe's whole configuration: the files of all folders in byte order of their names, the tree's own files sorted in,
 * the kernel command line last. A file that cannot be read is a problem, not an error.
 * Source: modprobe.d(5); kmod libkmod-config.c, kmod_config_new.
 */
export function readModprobeConfig({ dirs, files, treeFiles, commandLine }: ModprobeConfigSources): ModprobeConfig {
  const sources = namedSources(dirs, files);
  const found = listConfFiles(sources.dirs, [...sources.files, ...treeFiles]);
  const directives: Directive[] = [];
  const problems: Problem[] = [...found.problems];
  const optional = new Set(treeFiles);
  for (const file of found.files) {
    const text = readConfFile(file, problems, { isOptional: optional.has(file) });
    if (text === undefined) continue;
    const parsed = parseModprobeConf(text, file);
    directives.push(...parsed.directives);
    problems.push(...parsed.problems);
  }
  const kernel = commandLine && parseKernelCommandLine(commandLine.text, commandLine.file);
  if (kernel) {
    directives.push(...kernel.directives);
    problems.push(...kernel.problems);
  }
  return new ModprobeConfig(directives, {
    problems,
    files: [...new Set([...sources.dirs, ...found.files])],
    kernelBlacklist: kernel?.kernelBlacklist ?? [],
  });
}

type ByKind = Readonly<Partial<Record<Directive['kind'], readonly Directive[]>>>;

function ofKind<Kind extends Directive['kind']>(byKind: ByKind, kind: Kind): readonly DirectiveOf<Kind>[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- they were put there by their kind
  return (byKind[kind] ?? []) as readonly DirectiveOf<Kind>[];
}
