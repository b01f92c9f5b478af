import { globMatches, hasWildcard } from '../kmod/lookup/glob.ts';
import { normaliseAlias } from '../kmod/lookup/normalise-alias.ts';
import type { PluginDevice, PluginEvent } from '../plugin-api/device.ts';
import type { Filter } from '../plugin-api/filter.ts';
import type { PluginAsker, PluginQuestion } from '../plugin-api/hooks.ts';

type Test = (text: string) => boolean;

/** What a filter looks at: the pipeline's values have it, and what plugins are shown of them. */
type AnyEvent = Pick<PluginEvent, 'action' | 'subsystem' | 'devpath' | 'env'>;
type AnyDevice = Pick<PluginDevice, 'subsystem' | 'devpath' | 'modalias'>;
type AnyAsker =
  | { readonly kind: 'device'; readonly device: AnyDevice; readonly event?: Pick<PluginEvent, 'action'> }
  | Exclude<PluginAsker, { readonly kind: 'device' }>;
interface AnyQuestion extends Pick<PluginQuestion, 'module' | 'role'> {
  readonly asker: AnyAsker;
}
interface AnyHandled {
  readonly event: Pick<PluginEvent, 'action'>;
  readonly device: AnyDevice;
  readonly candidates: readonly { readonly module: string }[];
}

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
    // In names of modules a dash and an underscore are one; a question has the underscore.
    this.#module = testOf(filter.module?.map(name => normaliseAlias(name) ?? name));
    this.#role = testOf(filter.role);
    this.#asker = testOf(filter.asker);
  }

  /** An event has no module, role or asker: what is said of these does not count. */
  passesEvent({ action, subsystem, devpath, env }: AnyEvent): boolean {
    return (
      passes(this.#action, action) &&
      passes(this.#subsystem, subsystem) &&
      passes(this.#devpath, devpath) &&
      passes(this.#modalias, env['MODALIAS'])
    );
  }

  passesQuestion({ module, role, asker }: AnyQuestion): boolean {
    if (!passes(this.#role, role) || !passes(this.#asker, asker.kind) || !passes(this.#module, module)) return false;
    if (asker.kind !== 'device')
      return (
        this.#subsystem === undefined &&
        this.#devpath === undefined &&
        this.#action === undefined &&
        passes(this.#modalias, asker.kind === 'kernel' ? asker.alias : asker.name)
      );
    const { device, event } = asker;
    return (
      passes(this.#subsystem, device.subsystem) &&
      passes(this.#modalias, device.modalias) &&
      passes(this.#devpath, device.devpath) &&
      passes(this.#action, event?.action)
    );
  }

  passesHandled({ event, device, candidates }: AnyHandled): boolean {
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
