import { existsSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compilingLightly } from '../../kernel/light-compiling.ts';
import { TREE_UNPACKING, UNPACKERS } from '../../kernel/unpackers.ts';
import { readDepmodConfig, type DepmodConfig } from '../../kmod/depmod/depmod-conf.ts';
import { FactsCache, factsCacheFile, stateOf } from '../../kmod/depmod/facts-cache.ts';
import { TEXT_OUTPUTS } from '../../kmod/depmod/depmod-outputs.ts';
import { parseSymvers, parseSystemMap, type KnownSymbol } from '../../kmod/depmod/known-symbols.ts';
import { madeOutputs } from '../../kmod/depmod/made-outputs.ts';
import { planTree, readTreeAside, type DepmodPlan } from '../../kmod/depmod/plan-depmod.ts';
import { scanTree } from '../../kmod/depmod/scan-tree.ts';
import { updateOutputs } from '../../kmod/depmod/update-outputs.ts';
import { writeDepmodOutputs } from '../../kmod/depmod/write-outputs.ts';
import { moduleNameOfPath } from '../../vocabulary/module-name.ts';
import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';
import { VERSION } from '../../version.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { ToolExit } from './tool-exit.ts';
import { Priority } from './tool-log.ts';
import type { ToolRun } from './tool.ts';

/** Where depmod reads and writes. */
interface DepmodPlace {
  readonly release: string;
  readonly dir: string;
  readonly outDir: string;
}

/** depmod(8): writes the index files of a release. */
export function runDepmod(run: ToolRun): Promise<number> {
  return compilingLightly(() => indexRelease(run));
}

async function indexRelease(run: ToolRun): Promise<number> {
  const { host, log, has, given } = run;
  log.priority = Priority.warning + given.filter(({ name }) => name === 'verbose').length;
  for (const { name } of given) if (name.startsWith('-')) log.warn(`Ignored deprecated option ${name}`);
  const symbolPrefix = run.valueOf('symbol-prefix');
  if (symbolPrefix !== undefined && symbolPrefix.length !== 1) log.fatal('-P only takes a single char');
  const place = placeOf(run);
  const config = readDepmodConfig({
    dirs: run.roots.depmodDirs,
    files: has('config') ? run.valuesOf('config') : undefined,
    release: place.release,
  });
  // kmod looks for nothing newer when it would only print.
  if (has('quick') && (has('show') || isCurrent(place.dir, config))) return 0;
  if (has('errsyms') && !has('symvers') && !has('filesyms')) log.warn('-e needs -E or -F');
  const known = knownSymbols(run);
  const files = has('all') || has('quick') || run.operands.length < 2 ? undefined : namedFiles(run);
  if (files === undefined && statSync(place.dir, { throwIfNoEntry: false }) === undefined) {
    log.error(`could not open directory ${place.dir}: ${errnoText('ENOENT')}`);
    log.fatal(`could not search modules: ${errnoText('ENOENT')}`);
  }
  const request = {
    dir: place.dir,
    config,
    unpackers: UNPACKERS,
    files,
    symbolPrefix,
    ...(known === undefined || !has('errsyms') ? {} : { knownSymbols: known, checkVersions: has('symvers') }),
  };
  const cache =
    has('incremental') && !has('symvers') && files === undefined
      ? new FactsCache(factsCacheFile(path.join(run.roots.stateDir, 'cache'), place.dir), UNPACKERS)
      : undefined;
  const world = worldOf(place, config);
  const tree = await readTreeAside(request, TREE_UNPACKING, cache);
  const isQuiet = !has('show') && !has('warn') && !has('verbose') && !has('errsyms');
  // What is spliced knows no prefix of symbols.
  const canUpdate = isQuiet && (symbolPrefix ?? '') === '';
  if (cache !== undefined && canUpdate && updateOutputs(cache, tree, world, place.outDir)) return 0;
  const plan = planTree(request, tree);
  for (const problem of [...config.problems, ...plan.problems]) log.warn(formatProblem(problem));
  if (has('verbose')) host.out(reasonsText(plan));
  if (plan.cycles.length > 0) return reportCycles(plan, run);
  if (!has('show')) {
    // Only the indexes, which are not made for printing, have a place for a value once.
    if (has('warn'))
      for (const { alias, module } of plan.duplicates()) log.warn(`duplicate module alias:\n${alias} ${module}`);
    writeDepmodOutputs(place.outDir, plan.outputs);
    const hasProblems = config.problems.length > 0 || plan.problems.length > 0;
    const made =
      hasProblems || !canUpdate ? '' : JSON.stringify(madeOutputs({ world, files: {} }, place.outDir, plan.outputs));
    cache?.save(tree.modules, made);
  } else {
    for (const name of TEXT_OUTPUTS) {
      const text = plan.outputs.find(output => output.name === name)?.bytes.toString('latin1') ?? '';
      // kmod 30 knows no weak dependencies, so a heading with nothing below it is left out.
      if (name !== 'modules.weakdep' || /^[^#\n]/m.test(text)) host.out(Buffer.from(text, 'latin1'));
    }
  }
  return 0;
}

/** @throws {ToolExit} when the first operand is no kernel release */
function placeOf({ operands, valueOf, roots, log }: ToolRun): DepmodPlace {
  const [named] = operands;
  if (named !== undefined && !/^[0-9]+\.[0-9]+/.test(named)) {
    log.error(`Bad version passed ${named}`);
    throw new ToolExit(1);
  }
  const release = named ?? valueOf('kernel') ?? os.release();
  const below = path.join((valueOf('moduledir') ?? 'lib/modules').replace(/^\/+/, ''), release);
  const base = valueOf('basedir') ?? roots.root;
  const dir = roots.modulesAreNamed
    ? path.join(roots.modulesRoots[0] ?? '/', release)
    : path.join(path.resolve(base), below);
  const out = valueOf('outdir');
  return { release, dir, outDir: out === undefined ? dir : path.join(path.resolve(out), below) };
}

/**
 * The module files that are to be indexed alone.
 * @throws {ToolExit} when one cannot be
 */
function namedFiles({ operands, log }: ToolRun): readonly string[] {
  const files = operands.slice(1);
  const taken = new Map<string, string>();
  for (const file of files) {
    if (!path.isAbsolute(file)) log.fatal(`${file}: not absolute path.`);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      log.fatal(`could not create module ${file}: ${errnoText('ENOENT')}`);
    }
    const name = moduleNameOfPath(path.basename(file));
    const before = taken.get(name);
    if (before !== undefined) {
      log.error(`${file} is a second "${name}" besides ${before}`);
      log.fatal(`could not ${before === file ? 'add' : 'create'} module ${file}: ${errnoText('EEXIST')}`);
    }
    taken.set(name, file);
  }
  return files;
}

/** What else than modules the indexes are made from: while this stays, they change only where modules do. */
function worldOf({ release, dir, outDir }: DepmodPlace, config: DepmodConfig): string {
  const inputs = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'].map(name => path.join(dir, name));
  const states = inputs.map(file => (existsSync(file) ? stateOf(file) : []));
  return JSON.stringify([VERSION, release, dir, outDir, config, states]);
}

function reasonsText(plan: DepmodPlan): Buffer {
  const lines = plan.reasons().map(({ module, symbol, owner }) => `${module.file} needs "${symbol}": ${owner.file}\n`);
  return Buffer.from(lines.join(''), 'latin1');
}

/** Whether modules.dep is there and no module has changed since. */
function isCurrent(dir: string, config: DepmodConfig): boolean {
  const index = statSync(path.join(dir, 'modules.dep'), { throwIfNoEntry: false });
  if (index === undefined) return false;
  return scanTree(dir, config).modules.every(({ file }) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined || stats.mtimeMs <= index.mtimeMs;
  });
}

function knownSymbols({ valueOf, log }: ToolRun): readonly KnownSymbol[] | undefined {
  const file = valueOf('symvers') ?? valueOf('filesyms');
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code as ErrnoName;
    log.fatal(`could not load ${file}: ${errnoText(code)}`);
    throw error;
  }
  const parse = valueOf('symvers') === undefined ? parseSystemMap : parseSymvers;
  const { symbols, problems } = parse(text, file, valueOf('symbol-prefix'));
  for (const problem of problems) log.warn(formatProblem(problem));
  return symbols;
}

/** Modules in a circle have no order, and nothing is written. */
function reportCycles({ cycles, modulesInCycles }: DepmodPlan, { log }: ToolRun): number {
  for (const cycle of cycles) log.error(`Cycle detected: ${[...cycle, cycle[0] ?? ''].join(' -> ')}`);
  log.error(`Found ${modulesInCycles} modules in dependency cycles!`);
  return 1;
}
