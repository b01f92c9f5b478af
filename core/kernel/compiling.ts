import { setFlagsFromString } from 'node:v8';

/** V8's compilers of code that is called often, the quick one and the thorough ones. Source: V8's flag-definitions.h. */
export const COMPILERS = ['sparkplug', 'maglev', 'opt'] as const;

/** A V8 that may make no code at all (--jitless) has no WebAssembly either, and must not be told to. */
const MAY_COMPILE = 'WebAssembly' in globalThis;

let compiles = true;

/**
 * Whether V8 makes machine code of what is called often. That pays in a storm; for the few events of one device it takes more time, on
 * this thread and others, than it saves. What was compiled before goes on to be used.
 */
export function compileHotCode(wanted: boolean): void {
  if (compiles === wanted || !MAY_COMPILE) return;
  compiles = wanted;
  for (const compiler of COMPILERS) setFlagsFromString(wanted ? `--${compiler}` : `--no-${compiler}`);
}
