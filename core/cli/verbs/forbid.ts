import { UsherdError } from '../../errors.ts';
import type { JsonObject } from '../../ipc/protocol.ts';
import { printJson, printLines } from '../output.ts';
import { isSet, parseDeadline, textOption } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const forbid: Verb = {
  name: 'forbid',
  summary: 'keep a module from being loaded, whoever asks for it',
  description: [
    'A module that is forbidden is not loaded because a device asks for it, nor as a dependency or softdep of another, nor by name or file through usher’s modprobe and insmod: what needs it is refused and says so. A pattern of aliases stops what it names for the devices, or the requests, that match it.',
    'First it is said which devices have their driver by it, and which other modules need it. What is loaded already stays until it is removed. A change that would cut off the only keyboard, the root disk or the only network link is refused without --force, and forcing is recorded.',
    'The decision stands in decisions.toml of the state folder, with who and when, and in the ledger. usher permit takes it back; usher policy try makes it for some minutes only.',
  ],
  arguments: [
    {
      name: 'module',
      description: 'a module, or a pattern of aliases as "usb:v0781*" or "net-pf-*"',
      isRequired: true,
      completes: 'module',
    },
  ],
  options: [
    { flags: '--reason <text>', description: 'why; it stands in every refusal' },
    { flags: '--until <moment>', description: 'when it ends by itself: 2026-12-24, "2026-12-24 18:00", or in 2h, 30d' },
    { flags: '--dry-run', description: 'only say what would lose its driver' },
    { flags: '--force', description: 'also when it would lock you out' },
  ],
  examples: [
    { command: 'usher forbid algif_aead --reason CVE-2026-31431', does: 'Not loaded any more, by nobody.' },
    { command: 'usher forbid "usb:v0781*" --reason "no sticks of this maker" --until 30d', does: 'For a month.' },
    { command: 'usher forbid usb_storage --dry-run', does: 'What would lose its driver.' },
  ],
  run: runForbid,
};

async function runForbid([subject = '']: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const until = textOption(options, 'until');
  const wish = {
    kind: 'forbid',
    subject,
    reason: reasonOf(options),
    ...(until === undefined ? {} : { untilMs: parseDeadline(until, '--until', Date.now()) }),
    force: isSet(options, 'force'),
  };
  return carryOut(wish, isSet(options, 'dryRun'), caller);
}

/** The reason as given. @throws {UsherdError} USAGE when there is none and something would be changed */
export function reasonOf(options: OptionValues): string {
  const reason = textOption(options, 'reason');
  if (reason !== undefined && reason.trim() !== '') return reason;
  if (isSet(options, 'dryRun')) return '';
  throw new UsherdError('USAGE', 'a forbid needs --reason: it stands in every refusal');
}

/** Says what a wish would do, and does it unless that is all that was asked for → exit status. */
export async function carryOut(
  wish: JsonObject & { readonly kind: string; readonly subject: string },
  isDryRun: boolean,
  caller: Caller,
): Promise<number> {
  const { foresee, makeChange } = await import('../make-change.ts');
  const { effectLines } = await import('../effect-lines.ts');
  const effect = foresee(wish, caller);
  if (!caller.isJson && wish.kind === 'forbid') printLines(caller, [`forbid ${wish.subject}`, ...effectLines(effect)]);
  if (isDryRun) {
    if (caller.isJson) printJson(caller, { ...wish, ...effect, isChanged: false });
    return 0;
  }
  const { isChanged, forced } = await makeChange(wish, caller);
  if (caller.isJson) printJson(caller, { ...wish, ...effect, isChanged, forced });
  else printLines(caller, [isChanged ? '  it is decided, and in the ledger' : '  it was decided so already']);
  return 0;
}
