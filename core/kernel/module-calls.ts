import { constants } from 'node:fs';
import { errnoName, type ErrnoName } from '../vocabulary/errno.ts';
import { native } from './native.ts';

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

/** A module's file → the kernel, by finit_module(2). Opening it can fail, too, with an error of open(2). */
export async function finitModule(file: string, parameters: string, flags = 0): Promise<ModuleCallAnswer> {
  return oneOfFew(() => native().finitModule(file, parameters, flags));
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
  if (running >= MODULE_CALLS_AT_ONCE_MAX) await new Promise<void>(resolve => waiting.push(resolve));
  else running += 1;
  try {
    const status = await call();
    return status === 0 ? undefined : errnoName(-status);
  } finally {
    // The place is handed on, not given back and taken again: nobody can come in between.
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
