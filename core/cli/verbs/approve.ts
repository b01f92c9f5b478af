import { UsherdError } from '../../errors.ts';
import { printJson, printLines } from '../output.ts';
import { isSet } from '../option-values.ts';
import type { Caller, OptionSpec, OptionValues, Verb } from '../verb.ts';

const SCOPE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--once', description: 'this time only; what is meant when nothing is said' },
  { flags: '--until-unplug', description: 'until this device is unplugged, or the machine starts anew' },
  { flags: '--this-port', description: 'this device in this port, whenever it is plugged in' },
  { flags: '--always', description: 'this device anywhere: same modalias, same USB descriptors' },
];

const ARGUMENTS = [{ name: 'id', description: 'the number usher pending shows', isRequired: true }];

export const approve: Verb = {
  name: 'approve',
  summary: 'let a device that waits have its driver',
  description: [
    'First it is looked at again: when it is not the device that was seen, by its place, modalias, USB descriptors, disk number and folder in /sys, nothing is done. Then the plan is made anew and carried out, and the bus asked to try its drivers, so that the device is bound when this is done. What forbids the module still does.',
  ],
  arguments: ARGUMENTS,
  options: SCOPE_OPTIONS,
  examples: [
    { command: 'usher approve 4711', does: 'This time.' },
    { command: 'usher approve 4711 --this-port', does: 'Also when it is plugged in here again.' },
  ],
  exitStatuses: { 1: 'There is no such question, or the plan failed.' },
  run: (args, options, caller) => answer('allow', args, options, caller),
};

export const deny: Verb = {
  name: 'deny',
  summary: 'leave a device that waits without its driver',
  description: ['The question is closed. With a scope the answer is kept, and the device is not asked about again.'],
  arguments: ARGUMENTS,
  options: SCOPE_OPTIONS,
  examples: [{ command: 'usher deny 4711 --always', does: 'Not now, and not when it comes again.' }],
  exitStatuses: { 1: 'There is no such question.' },
  run: (args, options, caller) => answer('deny', args, options, caller),
};

interface Answered {
  readonly devpath: string;
  readonly result?: string;
  readonly driver?: string;
  readonly probe?: string;
}

async function answer(
  verdict: 'allow' | 'deny',
  [word = '']: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  if (!/^\d{1,15}$/.test(word)) throw new UsherdError('USAGE', `"${word}" is no number that usher pending shows`);
  const { askDaemon } = await import('../daemon-call.ts');
  let status = 0;
  for await (const item of askDaemon(caller, 'answer-hold', { id: Number(word), verdict, scope: scopeOf(options) })) {
    const answered = item as unknown as Answered;
    if (FAILURES.has(answered.result ?? '')) status = 1;
    if (caller.isJson) printJson(caller, item);
    else printLines(caller, [lineOf(verdict, answered)]);
  }
  return status;
}

/** Ends of an entry after which the device is without what it asked for. */
const FAILURES: ReadonlySet<string> = new Set(['failed', 'refused', 'denied', 'held', 'skipped']);

function lineOf(verdict: 'allow' | 'deny', { devpath, result, driver, probe }: Answered): string {
  if (verdict === 'deny') return `${devpath} stays without its driver`;
  const bound = driver === undefined ? 'no driver has taken it yet' : `driver ${driver}`;
  return `${devpath} ${result ?? ''}, ${bound}${probe === undefined ? '' : `; its bus could not be asked: ${probe}`}`;
}

function scopeOf(options: OptionValues): string {
  const given = (['once', 'untilUnplug', 'thisPort', 'always'] as const).filter(key => isSet(options, key));
  if (given.length > 1)
    throw new UsherdError('USAGE', 'one of --once, --until-unplug, --this-port and --always is enough');
  return { once: 'once', untilUnplug: 'until-unplug', thisPort: 'this-port', always: 'always' }[given[0] ?? 'once'];
}
