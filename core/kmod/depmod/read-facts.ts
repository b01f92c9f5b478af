import { statSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import type { Problem } from '../../vocabulary/place.ts';
import { type ByteSource, MODULE_FILE_MAX_BYTES } from '../ko/byte-source.ts';
import { type AsideDecompressors, expansionLimit, type PackedFile, unpackAside } from '../ko/compression.ts';
import { type ModuleFacts, NO_FACTS } from './module-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import type { SymbolNames } from './symbol-names.ts';

/** Where the facts of a module file come from: the file, or a memory of an earlier run. */
export interface FactsSource {
  readonly names: SymbolNames;
  /** Whether `facts` would not read the file. @throws an error of the system when the file is not there */
  isKept(module: ScannedModule): boolean;
  /** `unpacked` is what is in the file, when somebody has read it already. @throws {UsherdError} when the file cannot be read */
  facts(module: ScannedModule, unpacked?: ByteSource): ModuleFacts;
}

/** The facts of one module, and what was wrong with it. */
export interface ReadFacts {
  readonly facts: ModuleFacts;
  readonly problem?: Problem;
}

/** How packed modules are unpacked by other threads. */
export interface AsideUnpacking {
  readonly unpackers: AsideDecompressors;
  /** How many are unpacked at once. */
  readonly lanes: number;
}

/**
 * What all modules that are unpacked at the same time may expand to, in bytes: two of the largest that are taken at all. One of
 * 20 KB may expand to 5 MB, so this bounds hostile files and slows no others down.
 */
export const UNPACKED_AT_ONCE_MAX_BYTES = 512 * 1024 * 1024;

const PACKED_NAME = /\.ko\.[^/]+$/;

/** Reads one module; one that cannot be read is a problem and counts as one that needs nothing. */
export function readFacts(module: ScannedModule, read: () => ModuleFacts): ReadFacts {
  try {
    return { facts: read() };
  } catch (error) {
    return unreadable(module, error);
  }
}

/**
 * Facts of all modules, in their order whichever is ready first. Plain ones are read here while others unpack the packed ones, each of
 * which is dropped as soon as its facts are taken.
 */
export async function readAside(
  modules: readonly ScannedModule[],
  source: FactsSource,
  { unpackers, lanes }: AsideUnpacking,
): Promise<ReadFacts[]> {
  const answers: ReadFacts[] = modules.map(() => ({ facts: NO_FACTS }));
  const working = new Lanes(lanes);
  for (const [i, module] of modules.entries()) {
    const packed = packedFile(module, source);
    if (packed === undefined) {
      answers[i] = readFacts(module, () => source.facts(module));
      continue;
    }
    await working.start(expansionLimit(packed.size), async () => {
      using unpacked = await unpackAside(packed, unpackers);
      answers[i] = readFacts(module, () => source.facts(module, unpacked));
    });
  }
  await working.end();
  return answers;
}

/** So many pieces of work at once, and so many bytes. */
class Lanes {
  readonly #lanes: number;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;

  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** Waits until there is room, and no longer: the work goes on when this has answered. */
  async start(bytes: number, work: () => Promise<void>): Promise<void> {
    while (!this.#hasRoom(bytes)) await Promise.race(this.#running);
    this.#bytes += bytes;
    const running = work().finally(() => {
      this.#bytes -= bytes;
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#running);
  }

  #hasRoom(bytes: number): boolean {
    const count = this.#running.size;
    return count === 0 || (count < this.#lanes && this.#bytes + bytes <= UNPACKED_AT_ONCE_MAX_BYTES);
  }
}

/** A packed module; undefined when it is not one, is known already, or had better be refused where plain ones are. */
function packedFile(module: ScannedModule, source: FactsSource): PackedFile | undefined {
  if (!PACKED_NAME.test(module.file)) return undefined;
  try {
    if (source.isKept(module)) return undefined;
    const { size } = statSync(module.file);
    return size > MODULE_FILE_MAX_BYTES ? undefined : { file: module.file, size };
  } catch {
    return undefined;
  }
}

function unreadable({ file }: ScannedModule, error: unknown): ReadFacts {
  if (!(error instanceof UsherdError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  const message = `is taken to need nothing: ${(error as Error).message}`;
  return { facts: NO_FACTS, problem: { place: { file }, message } };
}
