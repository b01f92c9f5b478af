import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { IndexEntry } from '../index/index-format.ts';
import { aliasCacheFile, aliasCacheKey, readAliasCache, writeAliasCache, type AliasCaches } from './alias-cache.ts';
import { AliasMatcher } from './alias-matcher.ts';
import type { ModuleMatch } from './module-match.ts';

/** Look-ups answered from the index in place, at about 0.1 ms each, before the matcher is compiled, which takes about 0.1 s. */
export const LOOKUPS_IN_PLACE = 32;

/** What every answer of an index says beside its pattern and module. */
type Told = Pick<ModuleMatch, 'source' | 'place'>;

/** A cache file, and what it must have been made from. */
interface AliasCache {
  readonly file: string;
  readonly key: string;
}

/** Where patterns come from: an index in place, or a text file read whole. */
export interface AliasSource {
  readonly file: string;
  searchWild(query: string): readonly IndexEntry[];
  entries(): readonly IndexEntry[];
}

/**
 * Patterns → who answers for a text. A one-shot command is answered from the index in place; whoever asks more often gets the
 * compiled matcher, from its cache file where that is good. The answers and their order are the same.
 */
export class AliasIndex {
  readonly #open: () => AliasSource;
  #opened: AliasSource | undefined;
  readonly #caches: AliasCaches | undefined;
  readonly #name: ModuleMatch['source'];
  #matcher: AliasMatcher<Told> | undefined;
  #lookups = 0;

  constructor(open: () => AliasSource, name: ModuleMatch['source'], caches?: AliasCaches) {
    this.#open = open;
    this.#name = name;
    this.#caches = caches;
  }

  /** File the answers come from. */
  get file(): string {
    return this.#source.file;
  }

  /** How many patterns there are. Reads the whole index when that was not done yet. */
  get size(): number {
    return this.#source.entries().length;
  }

  /** Every pattern with its module, in byte order of the patterns. Reads the whole index. */
  entries(): readonly IndexEntry[] {
    return this.#source.entries();
  }

  /** Every pattern that matches a normalised text, by ascending priority; a module once for each of its patterns. */
  match(query: string): readonly ModuleMatch[] {
    if (this.#matcher === undefined && this.#lookups++ < LOOKUPS_IN_PLACE) {
      const told = this.#told();
      return this.#source
        .searchWild(query)
        .map(({ key, value }) => ({ pattern: key, module: value as ModuleName, ...told }));
    }
    return this.prepare().match(query);
  }

  /**
   * The compiled matcher now, from the cache (some 4 ms) or made and cached (some 0.1 s). A daemon calls this as it starts. The index
   * itself is not held any longer.
   */
  prepare(): AliasMatcher<Told> {
    if (this.#matcher === undefined) {
      const cache = this.#cache();
      this.#matcher = this.#load(cache) ?? this.#build(cache);
      this.#opened = undefined;
    }
    return this.#matcher;
  }

  get #source(): AliasSource {
    return (this.#opened ??= this.#open());
  }

  #told(): Told {
    return { source: this.#name, place: { file: this.#source.file } };
  }

  #load(cache: AliasCache | undefined): AliasMatcher<Told> | undefined {
    const compiled = cache && readAliasCache(cache.file, cache.key, this.#caches?.read);
    return compiled && new AliasMatcher(compiled, this.#told());
  }

  #build(cache: AliasCache | undefined): AliasMatcher<Told> {
    const matcher = AliasMatcher.build(this.#source.entries(), this.#told());
    if (cache) writeAliasCache(cache.file, cache.key, matcher.compiled);
    return matcher;
  }

  #cache(): AliasCache | undefined {
    if (this.#caches === undefined) return undefined;
    const key = aliasCacheKey(this.#source.file);
    return key === undefined ? undefined : { file: aliasCacheFile(this.#caches.dir, this.#source.file), key };
  }
}
