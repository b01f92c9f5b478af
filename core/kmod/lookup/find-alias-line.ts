import { closeSync, openSync, readSync } from 'node:fs';
import type { Place } from '../../vocabulary/place.ts';
import { parseModulesAlias } from '../maps/modules-alias.ts';
import type { ModuleTree } from '../module-tree.ts';
import { MAP_FILE_MAX_BYTES, readMapFile } from '../tree/index-source.ts';
import type { ModuleMatch } from './module-match.ts';
import { normaliseAlias } from './normalise-alias.ts';

/**
 * Read in one go, in bytes. Most lines stand before the end, and memory that is used again costs less than more of it; texts of 128 KB and
 * more V8 keeps where they do not bring on a collection.
 */
const PIECE_BYTES = 144 * 1024;

/**
 * Where the line of modules.alias stands that a match came from: an `alias PATTERN MODULE` that says so. The text is read for each
 * call, so ask when a person wants to know. Other sources, and trees that have only the .bin, keep the place the match has.
 */
export function findAliasLine(tree: ModuleTree, match: ModuleMatch): Place {
  if (match.source !== 'modules.alias') return match.place;
  const file = tree.aliasText;
  const line = findWritten(file, `alias ${match.pattern} ${match.module}`);
  if (line !== undefined) return { file, line };
  const text = readMapFile(file, [])?.toString('latin1') ?? '';
  const found = parseModulesAlias(text, file).entries.find(
    ({ pattern, module }) => module === match.module && normaliseAlias(pattern) === match.pattern,
  );
  return found === undefined ? match.place : { file, line: found.line };
}

/** Number of the line that reads just so: most patterns are normal as they stand, and taking all lines apart takes 20 ms. */
function findWritten(file: string, line: string): number | undefined {
  const wanted = Buffer.from(`\n${line}\n`, 'latin1');
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES + wanted.length);
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    // The first line has a newline before it, as all others have.
    let kept = piece.write('\n');
    let newlines = 0;
    for (let offset = 0; offset < MAP_FILE_MAX_BYTES;) {
      const read = readSync(fd, piece, kept, PIECE_BYTES, offset);
      if (read === 0) break;
      offset += read;
      const end = kept + read;
      const at = piece.subarray(0, end).indexOf(wanted);
      if (at >= 0) return newlines + countNewlines(piece, at + 1);
      // What is wanted may have begun.
      const done = Math.max(0, end - wanted.length + 1);
      newlines += countNewlines(piece, done);
      piece.copyWithin(0, done, end);
      kept = end - done;
    }
  } catch {
    // It cannot be read, and whoever reads all of it finds that, too.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return undefined;
}

/** How many there are before a position. Of V8's and Node's ways to count, this one takes the least time in code that is run once. */
function countNewlines(bytes: Buffer, end: number): number {
  return bytes.toString('latin1', 0, end).match(/\n/g)?.length ?? 0;
}
