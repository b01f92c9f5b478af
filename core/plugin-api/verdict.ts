/** What a plugin says of one module. The strictest of all verdicts wins: `deny > hold > replace > allow`. Silence is an abstention. */
export type PluginVerdict =
  | { readonly verdict: 'deny' | 'hold' | 'allow'; readonly reason: string }
  /** Another module in place of the one in question, of a target only. */
  | { readonly verdict: 'replace'; readonly module: string; readonly reason: string };

/** The module must not load; `reason` is a sentence for whoever asks why. */
export function deny(reason: string): PluginVerdict {
  return { verdict: 'deny', reason };
}

/** An administrator is to be asked; until then it does not load. */
export function hold(reason: string): PluginVerdict {
  return { verdict: 'hold', reason };
}

/** It may load as far as this plugin goes. It undoes nobody's deny and nobody's hold. */
export function allow(reason: string): PluginVerdict {
  return { verdict: 'allow', reason };
}

/** Another module is to load in its place. */
export function replaceWith(module: string, reason: string): PluginVerdict {
  return { verdict: 'replace', module, reason };
}
