import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SystemRoot } from '../kernel/system-root.ts';
import { journalDir } from '../drivers/install/journal.ts';
import type { FoundDriver } from '../plugin-api/context.ts';

/** Devices that wait for one search; beyond it the answer is that nothing is known. A machine has some hundred devices. */
const WAITING_MAX = 512;
/** Longest a search may take, in ms: half a gigabyte of indexes on a slow machine that is just starting. */
const SEARCH_MAX_MS = 280_000;
/** How long devices are gathered for one search, in ms: at start they come one after another. */
const GATHER_MS = 500;
/** What a search may say, in bytes: some kB a device. */
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
/** Answers that are kept until an index changes. */
const ANSWERS_MAX = 1024;

/** What changes when somebody knows of other drivers: folders and files, below the root. */
const SOURCES = [
  'var/lib/apt/lists',
  'var/lib/dpkg/status',
  'etc/apt/sources.list',
  'etc/apt/sources.list.d',
  'var/cache/swcatalog/yaml',
  'var/cache/dnf',
];

/** A modalias that waits for its answer. */
interface Waiting {
  readonly modalias: string;
  readonly answer: (found: readonly FoundDriver[]) => void;
}

/** As `usher driver search --json` has it, as far as it is looked at. */
interface ToldSearch {
  readonly modalias: string;
  readonly chosen: string | null;
  readonly candidates: readonly {
    readonly id: string;
    readonly score: number;
    readonly delivers: FoundDriver['delivers'];
    readonly licence: FoundDriver['licence'];
    readonly origin: { readonly name: string };
    readonly source: { readonly kind: string; readonly version?: string };
    readonly reasons: readonly string[];
    readonly flags: readonly string[];
    readonly obstacles: readonly string[];
  }[];
}

export interface DriverSearcherParts {
  readonly roots: SystemRoot;
  readonly release: string;
  /** Words that start this program anew. */
  readonly self?: readonly string[];
  /** Origins whose drivers are installed without asking. */
  readonly installFrom: () => readonly string[];
  readonly notice: (message: string) => void;
}

/**
 * Looks for drivers for the daemon: in a process of its own at a low priority, one at a time, all devices that wait together. So
 * indexes of a hundred megabytes are in nobody's way. Answers are kept until one of the indexes changes.
 */
export class DriverSearcher {
  readonly #parts: DriverSearcherParts;
  readonly #answers = new Map<string, readonly FoundDriver[]>();
  #waiting: Waiting[] = [];
  #isRunning = false;
  #stamp = '';

  constructor(parts: DriverSearcherParts) {
    this.#parts = parts;
  }

  /** What is known for a modalias, best first. */
  find(modalias: string): Promise<readonly FoundDriver[]> {
    const stamp = this.#readStamp();
    if (stamp !== this.#stamp) this.#answers.clear();
    this.#stamp = stamp;
    const known = this.#answers.get(modalias);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#waiting.length >= WAITING_MAX) return Promise.resolve([]);
    return new Promise(answer => {
      this.#waiting.push({ modalias, answer });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await pause(GATHER_MS);
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const found = await this.#search([...new Set(waiting.map(({ modalias }) => modalias))]);
      for (const { modalias, answer } of waiting) answer(found.get(modalias) ?? []);
    }
    this.#isRunning = false;
  }

  async #search(modaliases: readonly string[]): Promise<ReadonlyMap<string, readonly FoundDriver[]>> {
    const {
      roots,
      release,
      notice,
      self = [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
    } = this.#parts;
    const [program = '', ...words] = [...self, 'driver', 'search', '--json', '--kernel', release, ...rootWords(roots)];
    const stdout = await new Promise<string>(resolve => {
      const child = execFile(
        program,
        [...words, '--', ...modaliases],
        { timeout: SEARCH_MAX_MS, maxBuffer: OUTPUT_MAX_BYTES, killSignal: 'SIGKILL' },
        (error, text, stderr) => {
          // Status 1 only says that nothing is known.
          if (error !== null && error.code !== 1)
            notice(
              `drivers could not be looked for: ${stderr.trim().split('\n').at(-1) ?? ''} ${error.message.split('\n')[0]}`,
            );
          resolve(text);
        },
      );
      lowerPriority(child.pid);
    });
    const found = new Map<string, readonly FoundDriver[]>();
    for (const line of stdout.split('\n')) {
      const told = parseLine(line);
      if (told === undefined) continue;
      const drivers = foundDrivers(told);
      found.set(told.modalias, drivers);
      if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
      this.#answers.set(told.modalias, drivers);
      if (drivers.some(({ isChosen, origin }) => isChosen && this.#parts.installFrom().includes(origin)))
        this.#askForInstaller();
    }
    return found;
  }

  /** usherd-drivers.path sees this file change, and starts what may install; the daemon itself has no right to. */
  #askForInstaller(): void {
    const dir = journalDir(this.#parts.roots.stateDir);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o750 });
      writeFileSync(path.join(dir, 'wanted'), `${new Date().toISOString()}\n`);
    } catch (error) {
      this.#parts.notice(`what may install drivers could not be called: ${(error as Error).message}`);
    }
  }

  #readStamp(): string {
    const { root, configDirs } = this.#parts.roots;
    const files = [
      ...SOURCES.map(name => path.join(root, name)),
      ...configDirs.flatMap(dir => [
        path.join(dir, 'usherd.toml'),
        path.join(dir, 'catalogue.d'),
        path.join(dir, 'catalogue-keys'),
      ]),
    ];
    const lists = path.join(root, 'var/lib/apt/lists');
    return [...files.map(timeOf), ...namesIn(lists).map(name => timeOf(path.join(lists, name)))].join(' ');
  }
}

/** Words that have a verb look at the same system. */
function rootWords({
  root,
  sys,
  proc,
  modulesRoots,
  modulesAreNamed,
  stateDir,
  configDirs,
}: SystemRoot): readonly string[] {
  const [modules = ''] = modulesRoots;
  const [config = ''] = configDirs;
  return [
    '--root',
    root,
    '--sys-root',
    sys,
    '--proc-root',
    proc,
    '--state-dir',
    stateDir,
    ...(modulesAreNamed ? ['--modules-root', modules] : []),
    ...(configDirs.length === 1 ? ['--config-root', path.dirname(config)] : []),
  ];
}

function foundDrivers({ candidates, chosen }: ToldSearch): readonly FoundDriver[] {
  return candidates
    .filter(({ source }) => source.kind !== 'module')
    .map(({ id, score, delivers, licence, origin, source, reasons, flags, obstacles }) => ({
      name: id,
      version: source.version ?? '',
      origin: origin.name,
      licence,
      delivers,
      score,
      reasons: [...reasons, ...flags, ...obstacles],
      isChosen: id === chosen,
      isFit: flags.length === 0 && obstacles.length === 0,
    }));
}

function parseLine(line: string): ToldSearch | undefined {
  if (line === '') return undefined;
  const value = JSON.parse(line) as Partial<ToldSearch>;
  return typeof value.modalias === 'string' && Array.isArray(value.candidates) ? (value as ToldSearch) : undefined;
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or may not: then it runs as all do.
  }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
