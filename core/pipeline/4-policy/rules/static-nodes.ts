import type { RuleContext } from './rule-context.ts';
import type { RuleToken } from './rule.ts';
import type { RuleSet } from './rule-set.ts';

/** A node that the kernel module of its device has not made yet, and whose it is to be. */
export interface StaticNode {
  /** Below the dev root. */
  readonly node: string;
  readonly owner?: number;
  readonly group?: number;
  readonly mode?: number;
}

const OPTION = 'static_node=';

/**
 * The nodes that rules name by OPTIONS+="static_node=NAME", each with what its own rule says of owner, group and mode. What stands there must
 * be plain: there is no device to fill in anything from. Source: udev(7), static_node; systemd, udev_rules_apply_static_dev_perms.
 */
export function staticNodes(
  { rules }: Pick<RuleSet, 'rules'>,
  { userId, groupId }: Pick<RuleContext, 'userId' | 'groupId'>,
): readonly StaticNode[] {
  return rules.flatMap(({ source: { tokens } }) => {
    const named = tokens.flatMap(({ key, value }) =>
      key === 'OPTIONS' && value.startsWith(OPTION) ? [value.slice(OPTION.length)] : [],
    );
    if (named.length === 0) return [];
    const owner = idOf(lastValue(tokens, 'OWNER'), userId);
    const group = idOf(lastValue(tokens, 'GROUP'), groupId);
    const mode = lastValue(tokens, 'MODE');
    return named.map(node => ({
      node,
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
      ...(mode !== undefined && /^[0-7]{1,4}$/.test(mode) ? { mode: Number.parseInt(mode, 8) } : {}),
    }));
  });
}

function lastValue(tokens: readonly RuleToken[], key: RuleToken['key']): string | undefined {
  return tokens.findLast(token => token.key === key)?.value;
}

function idOf(text: string | undefined, lookUp: (name: string) => number | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : lookUp(text);
}
