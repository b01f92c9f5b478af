import { globMatches, hasWildcard } from '../../kmod/lookup/glob.ts';
import { normaliseAlias } from '../../kmod/lookup/normalise-alias.ts';

/** What [policy] of usherd.toml can set. */
export interface PolicySettings {
  /** `deny-unmatched`: a module may load only because a device that is there asks for it. */
  readonly default: 'allow' | 'deny-unmatched';
  /** Aliases and names that may be asked for all the same, as patterns. */
  readonly allowRequests: readonly string[];
  /** Modaliases, as patterns, and modules that wait for an administrator. */
  readonly hold: readonly string[];
  /** `interface`: no driver sees a USB interface that is new before policy has let it in; `device`: nor is a new device set up. */
  readonly usbGate: 'off' | 'interface' | 'device';
}

export const DEFAULT_POLICY: PolicySettings = {
  default: 'allow',
  allowRequests: [],
  hold: [],
  usbGate: 'off',
};

/** The first of some patterns that matches a text; `-` is `_` in both, as everywhere in aliases. */
export function matchingPattern(patterns: readonly string[], text: string): string | undefined {
  const asked = normaliseAlias(text) ?? text;
  return patterns.find(pattern => {
    const wanted = normaliseAlias(pattern) ?? pattern;
    return hasWildcard(wanted) ? globMatches(wanted, asked) : wanted === asked;
  });
}
