import { globMatches, hasWildcard } from '../kmod/lookup/glob.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import { askedFor, type Question } from '../pipeline/4-policy/question.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import type { Filter } from '../plugin-api/filter.ts';

type Test = (text: string) => boolean;

/** A filter made ready: what is asked of it is answered without anything being made. */
export class HookFilter {
  readonly #action: Test | undefined;
  readonly #subsystem: Test | undefined;
  readonly #modalias: Test | undefined;
  readonly #devpath: Test | undefined;
  readonly #module: Test | undefined;
  readonly #role: Test | undefined;
  readonly #asker: Test | undefined;

  constructor(filter: Filter) {
    this.#action = testOf(filter.action);
    this.#subsystem = testOf(filter.subsystem);
    this.#modalias = testOf(filter.modalias);
    this.#devpath = testOf(filter.devpath);
    this.#module = testOf(filter.module);
    this.#role = testOf(filter.role);
    this.#asker = testOf(filter.asker);
  }

  /** An event has no module, role or asker: what is said of these does not count. */
  passesEvent({ action, subsystem, devpath, env }: Uevent): boolean {
    return (
      passes(this.#action, action) &&
      passes(this.#subsystem, subsystem) &&
      passes(this.#devpath, devpath) &&
      passes(this.#modalias, env['MODALIAS'])
    );
  }

  passesQuestion({ module, role, asker }: Question): boolean {
    if (!passes(this.#role, role) || !passes(this.#asker, asker.kind) || !passes(this.#module, module)) return false;
    if (asker.kind !== 'device')
      return (
        this.#subsystem === undefined &&
        this.#devpath === undefined &&
        this.#action === undefined &&
        passes(this.#modalias, askedFor(asker))
      );
    const { device, event } = asker;
    return (
      passes(this.#subsystem, device.subsystem) &&
      passes(this.#modalias, device.modalias) &&
      passes(this.#devpath, device.devpath) &&
      passes(this.#action, event?.action)
    );
  }

  passesHandled({ event, device, candidates }: Handled): boolean {
    return (
      passes(this.#action, event.action) &&
      passes(this.#subsystem, device.subsystem) &&
      passes(this.#devpath, device.devpath) &&
      passes(this.#modalias, device.modalias) &&
      (this.#module === undefined || candidates.some(({ module }) => passes(this.#module, module)))
    );
  }
}

function passes(test: Test | undefined, text: string | undefined): boolean {
  return test === undefined || (text !== undefined && test(text));
}

/** Plain texts are looked up at once, patterns are tried one by one. An empty list lets nothing through. */
function testOf(patterns: readonly string[] | undefined): Test | undefined {
  if (patterns === undefined) return undefined;
  const plain = new Set(patterns.filter(pattern => !hasWildcard(pattern)));
  const globs = patterns.filter(hasWildcard);
  if (globs.length === 0) return text => plain.has(text);
  return text => plain.has(text) || globs.some(glob => globMatches(glob, text));
}
