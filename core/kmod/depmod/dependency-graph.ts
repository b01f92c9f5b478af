import type { ModuleFacts } from './module-facts.ts';

/** Who needs whom. Modules are their positions in depmod's array. */
export interface DependencyGraph {
  /** Direct dependencies of each module, in the order they are first needed. */
  readonly dependencies: readonly (readonly number[])[];
  /** Beside each of those the number of the symbol that was needed first. */
  readonly reasons: readonly (readonly number[])[];
  /** Number of each module's place among all, users before what they use; -1 for a module in or below a cycle. */
  readonly numbers: Int32Array;
  /** One closed way through each knot of modules that need each other: `[a, b, a]`. */
  readonly cycles: readonly (readonly number[])[];
}

/** Owner of a symbol that the kernel itself has, and of one nobody has. */
export const OWNED_BY_KERNEL = -2;
export const OWNED_BY_NOBODY = -1;

/** Which module exports each symbol: the last in array order, before it the kernel. `keyOf` says under which number one is kept. */
export function symbolOwners(
  facts: readonly ModuleFacts[],
  symbolCount: number,
  kernelSymbols: Iterable<number> = [],
  keyOf: (symbol: number) => number = symbol => symbol,
): Int32Array {
  const owners = new Int32Array(symbolCount).fill(OWNED_BY_NOBODY);
  for (const symbol of kernelSymbols) owners[symbol] = OWNED_BY_KERNEL;
  for (const [module, { exports }] of facts.entries()) for (const symbol of exports) owners[keyOf(symbol)] = module;
  return owners;
}

/**
 * Facts, and who owns each symbol that is needed → the graph. A module that needs what it exports itself is a cycle of its own, as in
 * kmod.
 */
export function linkModules(facts: readonly ModuleFacts[], owners: Int32Array): DependencyGraph {
  const linkedBy = new Int32Array(facts.length).fill(-1);
  const users = new Int32Array(facts.length);
  const reasons: number[][] = [];
  const dependencies = facts.map(({ needs }, module) => {
    const own: number[] = [];
    const why: number[] = [];
    for (const need of needs) {
      const owner = owners[need >> 1] ?? OWNED_BY_NOBODY;
      if (owner < 0 || linkedBy[owner] === module) continue;
      linkedBy[owner] = module;
      own.push(owner);
      why.push(need >> 1);
      users[owner] = (users[owner] ?? 0) + 1;
    }
    reasons.push(why);
    return own;
  });
  const numbers = numberModules(dependencies, users);
  const left = dependencies.flatMap((_, module) => (numbers[module] === -1 ? [module] : []));
  return { dependencies, reasons, numbers, cycles: findCycles(dependencies, left) };
}

/**
 * Topological numbers as depmod gives them: those nobody needs lie on a stack in array order; the one taken from its top gets the next
 * number, and each of its dependencies that loses its last user with it is laid on top. Source: kmod tools/depmod.c,
 * depmod_calculate_dependencies.
 */
function numberModules(dependencies: readonly (readonly number[])[], usersOfEach: Int32Array): Int32Array {
  const users = usersOfEach.slice();
  const numbers = new Int32Array(users.length).fill(-1);
  const stack: number[] = [];
  for (const [module, count] of users.entries()) if (count === 0) stack.push(module);
  let next = 0;
  for (let module = stack.pop(); module !== undefined; module = stack.pop()) {
    numbers[module] = next++;
    for (const dependency of dependencies[module] ?? []) {
      const left = (users[dependency] ?? 0) - 1;
      users[dependency] = left;
      if (left === 0) stack.push(dependency);
    }
  }
  return numbers;
}

/** All a module needs, directly or not, by ascending number: users before what they use. */
export function dependencyClosure(module: number, { dependencies, numbers }: DependencyGraph): number[] {
  const direct = dependencies[module] ?? [];
  if (direct.length === 0) return [];
  const seen = new Set(direct);
  // A Set hands out what is added while it is walked.
  for (const found of seen) for (const dependency of dependencies[found] ?? []) seen.add(dependency);
  return [...seen].toSorted((a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0));
}

/** One cycle for each knot among the modules that got no number; modules that only lie below a cycle are in none. */
function findCycles(dependencies: readonly (readonly number[])[], left: readonly number[]): number[][] {
  const state = new Map<number, 'open' | 'done'>();
  const cycles: number[][] = [];
  for (const start of left) {
    if (state.has(start)) continue;
    const way: { module: number; next: number }[] = [{ module: start, next: 0 }];
    state.set(start, 'open');
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const dependency = dependencies[top.module]?.[top.next++];
      if (dependency === undefined) {
        state.set(top.module, 'done');
        way.pop();
      } else if (state.get(dependency) === 'open') {
        const from = way.findIndex(({ module }) => module === dependency);
        cycles.push([...way.slice(from).map(({ module }) => module), dependency]);
      } else if (!state.has(dependency)) {
        state.set(dependency, 'open');
        way.push({ module: dependency, next: 0 });
      }
    }
  }
  return cycles;
}
