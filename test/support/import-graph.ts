import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'oxc-parser';

/** An import of one of our files by another; both relative to the project, with forward slashes. */
export interface ImportEdge {
  readonly from: string;
  readonly to: string;
}

/** Every import, type import and `import()` between TypeScript files below these folders. */
export function readImports(
  top: string,
  folders: readonly string[],
): { files: readonly string[]; edges: readonly ImportEdge[] } {
  const files = folders.flatMap(folder => globSync(`${folder}/**/*.ts`, { cwd: top })).toSorted();
  const edges = files.flatMap(from => {
    const { module } = parseSync(from, readFileSync(path.join(top, from), 'utf8'));
    const targets = [
      ...module.staticImports.map(item => item.moduleRequest.value),
      ...module.staticExports.flatMap(item => item.entries.flatMap(entry => entry.moduleRequest?.value ?? [])),
      ...dynamicTargets(readFileSync(path.join(top, from), 'utf8')),
    ];
    const inside = targets.filter(target => target.startsWith('.'));
    return inside.map(target => ({ from, to: path.posix.join(path.posix.dirname(from), target) }));
  });
  return { files, edges };
}

function dynamicTargets(source: string): readonly string[] {
  return [...source.matchAll(/import\('(\.[^']+)'\)/g)].flatMap(match => match[1] ?? []);
}

/** One cycle of the graph as a path that ends where it began, or undefined when there is none. */
export function findCycle(edges: readonly ImportEdge[]): readonly string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): readonly string[] | undefined => {
    const at = trail.indexOf(file);
    if (at >= 0) return [...trail.slice(at), file];
    if (done.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const cycle = visit(to, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
