import { existsSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { readModuleFacts } from '../../kernel/module-facts.ts';
import { matchAlias } from '../../pipeline/3-match/match-device.ts';
import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { DriverCandidate, LicenceClass } from '../candidate.ts';
import type { DriverFinder } from './driver-finder.ts';

/** Modules of the kernel's own tree that claim the device already: nothing has to be installed for them. */
export function moduleTreeFinder(world: ModuleWorld, root: string): DriverFinder {
  return {
    name: 'module-tree',
    find: async ({ modalias, release }) => {
      const problems: Problem[] = [];
      const candidates = matchAlias(modalias, world).map(({ module, match }): DriverCandidate => {
        const { license, isInTree } = factsOf(module, world, { root, release }, problems);
        return {
          id: module,
          finder: 'module-tree',
          match: { kind: 'modalias', pattern: match.pattern, place: match.place, module },
          source: { kind: 'module', module, license },
          origin: { name: isInTree ? 'kernel' : 'module tree', suite: release, uri: world.tree.dir },
          delivers: 'module',
          licence: licenceClass(license),
        };
      });
      return { candidates, problems };
    },
  };
}

function factsOf(
  module: ModuleName,
  { tree }: ModuleWorld,
  place: { root: string; release: string },
  problems: Problem[],
): { license: string | undefined; isInTree: boolean } {
  const entry = tree.module(module);
  const file = entry === undefined ? undefined : tree.filePath(entry);
  if (file === undefined || !existsSync(file)) return { license: undefined, isInTree: tree.isBuiltin(module) };
  try {
    return readModuleFacts(file, place);
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    problems.push({ place: { file }, message: error.message });
    return { license: undefined, isInTree: false };
  }
}

/** A module's licence string → what the kernel makes of it. Source: include/linux/license.h, license_is_gpl_compatible. */
export function licenceClass(license: string | undefined): LicenceClass {
  if (license === undefined) return 'unknown';
  return /^(?:GPL(?: v2| and additional rights)?|Dual (?:BSD|MIT|MPL)\/GPL)$/.test(license) ? 'free' : 'proprietary';
}
