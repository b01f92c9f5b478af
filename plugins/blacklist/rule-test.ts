import { matchingName, matchingPattern, type PluginQuestion } from '../../core/plugin-api/index.ts';
import type { BlacklistRule } from './settings.ts';
import { DAYS, isWithin, parseClock, type TimeWindow } from './time-window.ts';

/** What rules look at of a question, found out once for all of them; where there is no such thing the list is empty. */
export interface Asked {
  readonly module: readonly [string];
  readonly isTarget: boolean;
  /** What the device, or the kernel, asks with. */
  readonly alias: readonly string[];
  readonly bus: readonly string[];
  /** The device's address and those of all it hangs on; every device is at the address that ends its path. */
  readonly addresses: readonly string[];
}

/** A question → what rules look at. */
export function askedOf({ module, role, asker }: PluginQuestion): Asked {
  const device = asker.kind === 'device' ? asker.device : undefined;
  const alias = device?.modalias ?? (asker.kind === 'kernel' ? asker.alias : undefined);
  return {
    module: [module],
    isTarget: role === 'target',
    alias: alias === undefined ? [] : [alias],
    bus: device === undefined ? [] : [device.subsystem],
    addresses: device === undefined ? [] : device.devpath.slice(1).split('/'),
  };
}

/** A rule and a question → why the rule stops the module, in words; undefined when it says nothing of it. All its keys must match. */
export function whyStopped(rule: BlacklistRule, asked: Asked, at: Date): string | undefined {
  const { modules, modalias, bus, port } = rule;
  // A rule on devices is about what they ask for; what comes along with that is not loaded without it.
  if (modules === undefined && !asked.isTarget) return undefined;
  const because: string[] = [];
  const finds = (
    what: string,
    patterns: readonly string[] | undefined,
    texts: readonly string[],
    find = matchingPattern,
  ): boolean => {
    if (patterns === undefined) return true;
    for (const text of texts) {
      const found = find(patterns, text);
      if (found !== undefined) return because.push(`${what} "${found}"`) > 0;
    }
    return false;
  };
  if (!finds('module', modules, asked.module, matchingName) || !finds('modalias', modalias, asked.alias, matchingName))
    return undefined;
  if (!finds('bus', bus, asked.bus) || !finds('port', port, asked.addresses)) return undefined;
  const window = windowOf(rule);
  if (window !== undefined) {
    if (!isWithin(window, at)) return undefined;
    because.push(windowText(rule));
  }
  return `${rule.reason === undefined ? '' : `${rule.reason}: `}blacklisted by ${because.join(', ')}`;
}

function windowOf({ from, until, days }: BlacklistRule): TimeWindow | undefined {
  if (from === undefined && days === undefined) return undefined;
  return {
    fromMinute: parseClock(from ?? '00:00') ?? 0,
    untilMinute: parseClock(until ?? '24:00') ?? 0,
    days: days ?? DAYS,
  };
}

function windowText({ from, until, days }: BlacklistRule): string {
  const hours = from === undefined || until === undefined ? [] : [`from ${from} until ${until}`];
  return [...hours, ...(days === undefined ? [] : [`on ${days.join(', ')}`])].join(' ');
}
