import { moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/**
 * One line of modules.dep, `PATH: PATH PATH…`: a module's file and the files of all it needs, users before what they use. Paths
 * are relative to the release's folder, or absolute for modules that depmod.d(5) calls external.
 */
export interface DepLine {
  readonly path: string;
  readonly dependencies: readonly string[];
}

/** A line of modules.dep, or a value of modules.dep.bin, which is the same text → its parts. Undefined when it has no `:`. */
export function parseDepLine(line: string): DepLine | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  return {
    path: line.slice(0, colon),
    dependencies: line
      .slice(colon + 1)
      .split(' ')
      .filter(part => part !== ''),
  };
}

/** The line depmod writes, without newline; a module that needs nothing ends in its colon. */
export function formatDepLine({ path, dependencies }: DepLine): string {
  return dependencies.length === 0 ? `${path}:` : `${path}: ${dependencies.join(' ')}`;
}

/** modules.dep → its lines, in the order that gives modules their priority. */
export function parseModulesDep(text: string, file: string): MapFile<DepLine> {
  return parseLines(text, file, '"PATH: PATH…"', parseDepLine);
}

/** The name a line stands for. */
export function depLineModule({ path }: DepLine): ModuleName {
  return moduleNameOfPath(path);
}
