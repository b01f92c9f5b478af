import { constants } from 'node:fs';
import { errnoName, type ErrnoName } from '../vocabulary/errno.ts';
import { native, type FileAnswer } from './native.ts';
import type { RestsOn } from './rests-on.ts';

/** Flags of finit_module(2). The last one needs CONFIG_MODULE_DECOMPRESS. */
export const FinitFlag = { ignoreModversions: 1, ignoreVermagic: 2, compressedFile: 4 } as const;

/**
 * Calls in the kernel at one time, each on a thread of its own. A module's init may sleep for seconds, and dozens of devices ask at boot;
 * beyond this many they wait here, as many as the
 * pipeline lets run. Half a mebibyte of stack each, of which a few pages are used.
 */
export const MODULE_CALLS_AT_ONCE_MAX = 64;

/** The kernel's answer to one call: undefined when it did as asked, else the error's name. */
export type ModuleCallAnswer = ErrnoName | undefined;

let running = 0;
const waiting: (() => void)[] = [];

/** A module's file, as finit_module(2) takes it. */
export interface FileToInsert {
  readonly file: string;
  readonly parameters: string;
  /** Of FinitFlag. */
  readonly flags: number;
  /** Places, in the list of files it is given with, of those before it that must be in first. */
  readonly needs?: readonly number[];
}

/** What came of one of several files. */
export interface FileInsertion {
  readonly answer: ModuleCallAnswer | 'not-tried';
  /** How long the kernel was at it. */
  readonly tookMs: number;
}

/**
 * Files → the kernel, by finit_module(2), without coming back here in between: each once those it needs are in, side by side where
 * processors are idle. Each is answered as soon as it is in. After one that is refused (other than by EEXIST) none is begun any more.
 * Opening a file can fail, too, as open(2) does.
 * The thread that inserts them first puts on disk what they rest on, so that nobody has to be woken in between.
 */
export function finitModules(files: readonly FileToInsert[], restsOn?: RestsOn): readonly Promise<FileInsertion>[] {
  const values = files.flatMap(({ file, parameters, flags }) => [file, parameters, flags]);
  const needs = files.flatMap(({ needs: places = [] }, at) => places.flatMap(place => [at, place]));
  // Runs at once, and what it throws is an answer, so that the place is given on.
  const begin = async (): Promise<readonly Promise<FileAnswer>[] | number> => {
    const promises = native().finitModules(values, needs, restsOn?.fd ?? -1);
    if (restsOn?.fd === undefined || typeof promises === 'number') return promises;
    void promises[0]?.then(([status]) => restsOn.wasPut(status));
    return promises.slice(1);
  };
  const place = takePlace();
  const begun = place === undefined ? begin() : place.then(begin);
  const answers = files.map(async (_file, index): Promise<FileInsertion> => {
    const promises = await begun;
    const [status, tookMs] = typeof promises === 'number' ? [promises, 0] : ((await promises[index]) ?? [0, 0]);
    return { answer: status > 0 ? 'not-tried' : answerOf(status), tookMs };
  });
  void Promise.allSettled(answers).then(givePlaceOn);
  return answers;
}

/** One file → the kernel. */
export async function finitModule(file: string, parameters: string, flags = 0): Promise<ModuleCallAnswer> {
  const [first] = finitModules([{ file, parameters, flags }]);
  const { answer } = (await first) ?? { answer: undefined };
  return answer === 'not-tried' ? undefined : answer;
}

/** A module's image, decompressed → the kernel, by init_module(2): for compressions the kernel does not know. */
export async function initModule(image: Uint8Array, parameters: string): Promise<ModuleCallAnswer> {
  return oneOfFew(() => native().initModule(image, parameters));
}

/** Removes a module by delete_module(2). Never waits for its users (O_NONBLOCK); `force` is O_TRUNC, which few kernels allow. */
export async function deleteModule(
  name: string,
  { force = false }: { force?: boolean } = {},
): Promise<ModuleCallAnswer> {
  return oneOfFew(() => native().deleteModule(name, constants.O_NONBLOCK | (force ? constants.O_TRUNC : 0)));
}

async function oneOfFew(call: () => Promise<number> | number): Promise<ModuleCallAnswer> {
  await takePlace();
  try {
    return answerOf(await call());
  } finally {
    givePlaceOn();
  }
}

/** Undefined when there is one at once. */
function takePlace(): Promise<void> | undefined {
  if (running >= MODULE_CALLS_AT_ONCE_MAX) return new Promise<void>(resolve => waiting.push(resolve));
  running += 1;
  return undefined;
}

/** The place is handed on, not given back and taken again: nobody can come in between. */
function givePlaceOn(): void {
  const next = waiting.shift();
  if (next === undefined) running -= 1;
  else next();
}

function answerOf(status: number): ModuleCallAnswer {
  return status === 0 ? undefined : errnoName(-status);
}
