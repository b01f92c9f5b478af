import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import type { Problem } from '../vocabulary/place.ts';
import { AptArchive } from './apt/apt-archive.ts';
import type { DriverCandidate } from './candidate.ts';
import type { DriverWish } from './driver-wish.ts';
import { appstreamFinder } from './finders/appstream.ts';
import { aptModaliasesFinder } from './finders/apt-modaliases.ts';
import { catalogueFinder } from './finders/catalogue.ts';
import type { DriverFinder, Progress } from './finders/driver-finder.ts';
import { firmwareFinder } from './finders/firmware.ts';
import { moduleTreeFinder } from './finders/module-tree.ts';
import { rpmProvidesFinder } from './finders/rpm-provides.ts';
import { rankCandidates, type RankedCandidate } from './rank.ts';
import type { DriverSettings } from './driver-settings.ts';
import { readSystemFacts, type SystemFacts } from './system-facts.ts';

/** What is known of drivers for one device. */
export interface DriverSearch {
  readonly wish: DriverWish;
  readonly facts: SystemFacts;
  /** Best first. */
  readonly ranked: readonly RankedCandidate[];
  readonly problems: readonly Problem[];
}

/** Everybody who may know of a driver, in the order they are asked. */
export function driverFinders(roots: SystemRoot, world: ModuleWorld): readonly DriverFinder[] {
  const archive = new AptArchive(roots.root);
  return [
    moduleTreeFinder(world, roots.root),
    aptModaliasesFinder(archive),
    appstreamFinder(archive, roots.root),
    firmwareFinder(archive),
    rpmProvidesFinder(roots.root),
    catalogueFinder(roots.configDirs, archive),
  ];
}

/** Asks the finders that are on about a device, one after another, and ranks what they know. Changes nothing, fetches nothing. */
export async function searchDrivers(
  wish: DriverWish,
  {
    roots,
    finders,
    settings,
    progress = () => {},
  }: {
    readonly roots: SystemRoot;
    /** What they read they keep: for many devices one after another, the same are asked. */
    readonly finders: readonly DriverFinder[];
    readonly settings: DriverSettings;
    readonly progress?: Progress;
  },
): Promise<DriverSearch> {
  const candidates: DriverCandidate[] = [];
  const problems = new Map<string, Problem>();
  for (const finder of finders.filter(({ name }) => settings.finders.includes(name))) {
    const found = await finder.find(wish, progress);
    candidates.push(...found.candidates);
    // Finders that share apt's lists meet the same problems.
    for (const problem of found.problems) problems.set(JSON.stringify(problem), problem);
  }
  const facts = readSystemFacts(roots, wish.release);
  const allowed = joined(candidates).map(candidate => withListing(candidate, settings));
  return { wish, facts, ranked: rankCandidates(allowed, facts), problems: [...problems.values()] };
}

/** One that several finders know is one candidate: what the first says of it counts, and all know it to be as much as any of them does. */
function joined(candidates: readonly DriverCandidate[]): readonly DriverCandidate[] {
  const byId = new Map<string, DriverCandidate>();
  for (const candidate of candidates) {
    const key = `${candidate.source.kind} ${candidate.id}`;
    const before = byId.get(key);
    if (before === undefined) byId.set(key, candidate);
    else if (before.delivers === 'program' && candidate.delivers !== 'program') byId.set(key, candidate);
  }
  return [...byId.values()];
}

/** With a list of origins in the settings, nothing comes from any other; what is there already needs none. */
function withListing(candidate: DriverCandidate, { origins }: DriverSettings): DriverCandidate {
  const { origin, source } = candidate;
  if (
    origins.length === 0 ||
    source.kind === 'module' ||
    origin.distrust !== undefined ||
    origins.includes(origin.name)
  )
    return candidate;
  const distrust = `vendor_driver.origins lists ${origins.join(', ')}`;
  return { ...candidate, origin: { ...origin, distrust } };
}
