import { crc32 } from 'node:zlib';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { bytesOf, readCacheFile, wordsOf, writeCacheFile, type ReadWhole } from '../cache-file.ts';
import type { CompiledAliases } from './compiled-aliases.ts';

/** Raised whenever the compiled form changes its meaning. */
const VERSION = 2;

const NS_PER_S = 1_000_000_000n;

/** Where caches are kept, and how they are read when not as a copy. */
export interface AliasCaches {
  readonly dir: string;
  readonly read?: ReadWhole;
}

/**
 * What an index file is now: the cache made from it is good as long as this text is the same. Not by its device and inode, whose numbers
 * change from boot to boot on btrfs and overlays. A date of whole seconds was given by who packed an image, to all states of the file alike:
 * then what it holds counts.
 */
export function aliasCacheKey(indexFile: string): string | undefined {
  const stats = statSync(indexFile, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const { size, mtimeNs } = stats;
  return mtimeNs % NS_PER_S === 0n ? `${size}:crc32:${crc32(readFileSync(indexFile))}` : `${size}:${mtimeNs}`;
}

/** The cache file of an index: one for each index path, so that kernels do not push each other out. */
export function aliasCacheFile(dir: string, indexFile: string): string {
  const name = `${path.basename(path.dirname(indexFile))}-${path.basename(indexFile)}`;
  return path.join(dir, `${name}-${crc32(path.resolve(indexFile)).toString(16).padStart(8, '0')}.cache`);
}

/** A cache file → the compiled patterns, so that a start takes milliseconds; undefined when it cannot be used (cache-file.ts). */
export function readAliasCache(file: string, key: string, read?: ReadWhole): CompiledAliases | undefined {
  const [nodes, kids, leaves, lists, moduleOf, patternEnd, odd, sets, text, patterns, modules] =
    readCacheFile(file, { version: VERSION, key }, read) ?? [];
  if (!nodes || !kids || !leaves || !lists || !moduleOf || !patternEnd || !odd) return undefined;
  if (!sets || !text || !patterns || !modules) return undefined;
  return {
    nodes: wordsOf(nodes),
    kids: wordsOf(kids),
    leaves: wordsOf(leaves),
    lists: wordsOf(lists),
    moduleOf: wordsOf(moduleOf),
    patternEnd: wordsOf(patternEnd),
    odd: wordsOf(odd),
    sets,
    text,
    patterns,
    modules: modules.toString('latin1').split('\n'),
  };
}

/** Keeps the compiled patterns. False when that is not possible; nothing depends on it. */
export function writeAliasCache(file: string, key: string, compiled: CompiledAliases): boolean {
  const { nodes, kids, leaves, lists, moduleOf, patternEnd, odd, sets, text, patterns, modules } = compiled;
  const sections = [nodes, kids, leaves, lists, moduleOf, patternEnd, odd, sets, text, patterns].map(bytesOf);
  return writeCacheFile(file, { version: VERSION, key }, [...sections, Buffer.from(modules.join('\n'), 'latin1')]);
}
