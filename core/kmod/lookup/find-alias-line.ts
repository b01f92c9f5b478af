import path from 'node:path';
import type { Place } from '../../vocabulary/place.ts';
import { parseModulesAlias } from '../maps/modules-alias.ts';
import type { ModuleTree } from '../module-tree.ts';
import { readMapFile } from '../tree/index-source.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

/**
 * Where the line of modules.alias stands that a match came from: the first `alias PATTERN MODULE` that says so. The text is read
 * for each call, some 20 ms for a distribution's kernel, so ask when a person wants to know. Other sources, and trees that have only
 * the .bin, keep the place the match has.
 */
export function findAliasLine(tree: ModuleTree, match: ModuleMatch): Place {
  if (match.source !== 'modules.alias') return match.place;
  const file = path.join(tree.dir, 'modules.alias');
  const text = readMapFile(file, [])?.toString('latin1');
  if (text === undefined) return match.place;
  const found = parseModulesAlias(text, file).entries.find(
    ({ pattern, module }) => module === match.module && normaliseAlias(pattern) === match.pattern,
  );
  return found === undefined ? match.place : { file, line: found.line };
}
