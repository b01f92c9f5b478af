import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

/** A part of dist/ that has been loaded. */
export interface Part {
  readonly file: string;
  readonly script: Script;
  readonly exports: unknown;
}

/** How a part names another, as its own file or Node's modules have other names. */
const PART_NAME = /^\.\/[\w-]+\.cjs$/;

/** Node's own modules that were asked for: finding one takes longer than remembering it, and a part asks for some 30 times. */
const builtins = new Map<string, unknown>();

const parts = new Map<string, Part>();

/** Where the compiled code of a part lies. */
export function compiledFile(file: string): string {
  return `${file}.compiled`;
}

/** All parts that have been loaded, also by others. */
export function loadedParts(): readonly Part[] {
  return [...parts.values()];
}

/**
 * Loads a part of dist/ as require() would, with the code V8 made of it when it was built: every function that a usual run calls,
 * where Node's own cache has only those at the top. The function that require() writes around a module is in the file
 * (contrib/dev/build.ts). Compiling is a third of a short command. Code of another Node, or made with other flags, is refused by V8,
 * and the source is compiled. From the sources nobody comes here.
 */
export function loadPart(folder: string, name: string): Part {
  const file = path.join(folder, name);
  const known = parts.get(file);
  if (known !== undefined) return known;
  const compiled = compiledFile(file);
  // The bundler writes nothing but ASCII.
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(existsSync(compiled) && { cachedData: readFileSync(compiled) }),
  });
  const module = { exports: {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file is a function of these
  const run = script.runInThisContext() as (...given: readonly unknown[]) => void;
  run(module.exports, requireFrom(folder, file), module, file, folder);
  const part = { file, script, exports: module.exports };
  parts.set(file, part);
  return part;
}

/** What a part calls as require(): another part is loaded as this one was. */
function requireFrom(folder: string, file: string): (id: string) => unknown {
  let others: NodeJS.Require | undefined;
  return id => {
    const known = builtins.get(id);
    if (known !== undefined) return known;
    if (PART_NAME.test(id)) return loadPart(folder, id).exports;
    const builtin: unknown = process.getBuiltinModule(id);
    if (builtin !== undefined) builtins.set(id, builtin);
    return builtin ?? (others ??= process.getBuiltinModule('node:module').createRequire(file))(id);
  };
}
