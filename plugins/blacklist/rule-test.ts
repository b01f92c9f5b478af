import { matchingName, matchingPattern, type PluginQuestion } from '../../core/plugin-api/index.ts';
import type { BlacklistRule } from './settings.ts';
import { DAYS, isWithin, parseClock, type TimeWindow } from './time-window.ts';

/** A rule and a question → why the rule stops the module, in words; undefined when it says nothing of it. All its keys must match. */
export function whyStopped(rule: BlacklistRule, question: PluginQuestion, at: Date): string | undefined {
  const { module, asker } = question;
  const { modules, modalias, bus, port } = rule;
  const device = asker.kind === 'device' ? asker.device : undefined;
  const because: string[] = [];

  // A rule on devices is about what they ask for; what comes along with that is not loaded without it.
  if (modules === undefined && question.role !== 'target') return undefined;
  if (modules !== undefined) {
    const found = matchingName(modules, module);
    if (found === undefined) return undefined;
    because.push(`module ${quote(found)}`);
  }
  if (modalias !== undefined) {
    const asked = device?.modalias ?? (asker.kind === 'kernel' ? asker.alias : undefined);
    const found = asked === undefined ? undefined : matchingName(modalias, asked);
    if (found === undefined) return undefined;
    because.push(`modalias ${quote(found)}`);
  }
  if (bus !== undefined) {
    const found = device === undefined ? undefined : matchingPattern(bus, device.subsystem);
    if (found === undefined) return undefined;
    because.push(`bus ${quote(found)}`);
  }
  if (port !== undefined) {
    const found = device === undefined ? undefined : portFound(port, device.devpath);
    if (found === undefined) return undefined;
    because.push(`port ${quote(found)}`);
  }
  const window = windowOf(rule);
  if (window !== undefined) {
    if (!isWithin(window, at)) return undefined;
    because.push(windowText(rule));
  }
  return `${rule.reason === undefined ? '' : `${rule.reason}: `}blacklisted by ${because.join(', ')}`;
}

/** Every device is at the address that ends its path, and behind those before it: a hub's port is one of what is plugged into the hub. */
function portFound(wanted: readonly string[], devpath: string): string | undefined {
  for (const address of devpath.split('/')) {
    const found = address === '' ? undefined : matchingPattern(wanted, address);
    if (found !== undefined) return found;
  }
  return undefined;
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

function quote(pattern: string): string {
  return `"${pattern}"`;
}
