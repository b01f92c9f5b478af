import path from 'node:path';
import type { Place } from '../../vocabulary/place.ts';
import { parseModulesAlias } from '../maps/modules-alias.ts';
import type { ModuleTree } from '../module-tree.ts';
import { readMapFile } from '../tree/index-source.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

const NEWLINE = 0x0a;

/**
 * Where the line of modules.alias stands that a match came from: an `alias PATTERN MODULE` that says so. The text is read for each
 * call, so ask when a person wants to know. Other sources, and trees that have only the .bin, keep the place the match has.
 */
export function findAliasLine(tree: ModuleTree, match: ModuleMatch): Place {
  if (match.source !== 'modules.alias') return match.place;
  const file = path.join(tree.dir, 'modules.alias');
  const bytes = readMapFile(file, []);
  if (bytes === undefined) return match.place;
  const line = findWritten(bytes, `alias ${match.pattern} ${match.module}\n`);
  if (line !== undefined) return { file, line };
  const found = parseModulesAlias(bytes.toString('latin1'), file).entries.find(
    ({ pattern, module }) => module === match.module && normaliseAlias(pattern) === match.pattern,
  );
  return found === undefined ? match.place : { file, line: found.line };
}

/** Number of the line that reads just so: most patterns are normal as they stand, and taking all lines apart takes 20 ms. */
function findWritten(bytes: Buffer, line: string): number | undefined {
  for (let at = bytes.indexOf(line, 0, 'latin1'); at >= 0; at = bytes.indexOf(line, at + 1, 'latin1')) {
    if (at > 0 && bytes[at - 1] !== NEWLINE) continue;
    return bytes.toString('latin1', 0, at).split('\n').length;
  }
  return undefined;
}
