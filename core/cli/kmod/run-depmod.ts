import { readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { readDepmodConfig, type DepmodConfig } from '../../kmod/depmod/depmod-conf.ts';
import { FactsCache, factsCacheFile } from '../../kmod/depmod/facts-cache.ts';
import { TEXT_OUTPUTS } from '../../kmod/depmod/depmod-outputs.ts';
import { parseSymvers, parseSystemMap, type KnownSymbol } from '../../kmod/depmod/known-symbols.ts';
import { planDepmod, type DepmodPlan } from '../../kmod/depmod/plan-depmod.ts';
import { scanTree } from '../../kmod/depmod/scan-tree.ts';
import { writeDepmodOutputs } from '../../kmod/depmod/write-outputs.ts';
import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';
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
export function runDepmod(run: ToolRun): number {
  const { host, log, has, given } = run;
  log.priority = Priority.warning + given.filter(({ name }) => name === 'verbose').length;
  const place = placeOf(run);
  const config = readDepmodConfig({
    dirs: run.roots.depmodDirs,
    files: has('config') ? run.valuesOf('config') : undefined,
    release: place.release,
  });
  if (has('quick') && isCurrent(place.dir, config)) return 0;
  if (has('errsyms') && !has('symvers') && !has('filesyms')) log.warn('-e needs -E or -F');
  if (statSync(place.dir, { throwIfNoEntry: false }) === undefined) {
    log.error(`could not open directory ${place.dir}: ${errnoText('ENOENT')}`);
    log.fatal(`could not search modules: ${errnoText('ENOENT')}`);
  }
  const known = has('errsyms') ? knownSymbols(run) : undefined;
  const request = {
    dir: place.dir,
    config,
    unpackers: UNPACKERS,
    ...(known === undefined ? {} : { knownSymbols: known, checkVersions: has('symvers') }),
  };
  const cache =
    has('incremental') && !has('symvers')
      ? new FactsCache(factsCacheFile(path.join(run.roots.stateDir, 'cache'), place.dir), UNPACKERS)
      : undefined;
  const plan = planDepmod(request, cache);
  cache?.save();
  for (const problem of [...config.problems, ...plan.problems]) log.warn(formatProblem(problem));
  if (plan.cycles.length > 0) return reportCycles(plan, run);
  if (!has('show')) writeDepmodOutputs(place.outDir, plan.outputs);
  else {
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
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${errnoText(code)}`, { file }, error);
  }
  const { symbols, problems } = (valueOf('symvers') === undefined ? parseSystemMap : parseSymvers)(text, file);
  for (const problem of problems) log.warn(formatProblem(problem));
  return symbols;
}

/** Modules in a circle have no order, and nothing is written. */
function reportCycles({ cycles, modulesInCycles }: DepmodPlan, { log }: ToolRun): number {
  for (const cycle of cycles) log.error(`Cycle detected: ${[...cycle, cycle[0] ?? ''].join(' -> ')}`);
  log.error(`Found ${modulesInCycles} modules in dependency cycles!`);
  return 1;
}
