import type { ModuleFacts } from './module-facts.ts';

/** Who needs whom. Modules are their positions in depmod's array. */
export interface DependencyGraph {
  /** Direct dependencies of each module, in the order they are first needed. */
  readonly dependencies: readonly (readonly number[])[];
  /** Number of each module's place among all, users before what they use; -1 for a module in or below a cycle. */
  readonly numbers: Int32Array;
  /** One closed way through each knot of modules that need each other: `[a, b, a]`. */
  readonly cycles: readonly (readonly number[])[];
}

const NO_WORDS = new Int32Array(0);

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
  for (let module = 0; module < facts.length; module++) {
    const exports = facts[module]?.exports ?? NO_WORDS;
    for (let i = 0; i < exports.length; i++) owners[keyOf(exports[i] ?? 0)] = module;
  }
  return owners;
}

/**
 * Facts, and who owns each symbol that is needed → the graph. A module that needs what it exports itself is a cycle of its own, as in
 * kmod.
 */
export function linkModules(facts: readonly ModuleFacts[], owners: Int32Array): DependencyGraph {
  const linkedBy = new Int32Array(facts.length).fill(-1);
  const users = new Int32Array(facts.length);
  const dependencies = facts.map(({ needs }, module) => {
    const own: number[] = [];
    // A tree has 200,000 of these: going through them with an iterator takes ten times as long until the code is compiled.
    for (let i = 0; i < needs.length; i++) {
      const need = needs[i] ?? 0;
      const owner = owners[need >> 1] ?? OWNED_BY_NOBODY;
      if (owner < 0 || linkedBy[owner] === module) continue;
      linkedBy[owner] = module;
      own.push(owner);
      users[owner] = (users[owner] ?? 0) + 1;
    }
    return own;
  });
  const numbers = numberModules(dependencies, users);
  const left = dependencies.flatMap((_, module) => (numbers[module] === -1 ? [module] : []));
  return { dependencies, numbers, cycles: findCycles(dependencies, left) };
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
  for (let module = 0; module < users.length; module++) if (users[module] === 0) stack.push(module);
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

/** Of a graph without cycles: a module → all it needs, directly or not, by ascending number: users before what they use. */
export function closuresOf({ dependencies, numbers }: DependencyGraph): (module: number) => readonly number[] {
  const moduleOf = new Int32Array(numbers.length);
  for (let module = 0; module < numbers.length; module++) moduleOf[numbers[module] ?? 0] = module;
  /** The module for which each was found last, and the numbers of those found for this one. */
  const foundFor = new Int32Array(numbers.length).fill(-1);
  const found = new Int32Array(numbers.length);
  return module => {
    let count = 0;
    for (let user = module, next = 0; ; user = moduleOf[found[next++] ?? 0] ?? 0) {
      for (const dependency of dependencies[user] ?? []) {
        if (foundFor[dependency] === module) continue;
        foundFor[dependency] = module;
        found[count++] = numbers[dependency] ?? 0;
      }
      if (next === count) break;
    }
    const ordered = found.subarray(0, count);
    if (count > 1) ordered.sort();
    return Array.from(ordered, number => moduleOf[number] ?? 0);
  };
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
