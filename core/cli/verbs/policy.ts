import { UsherdError } from '../../errors.ts';
import { countOption, isSet } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';
import { carryOut, reasonOf } from './forbid.ts';

/** As policy-wish.ts has it; the verbs' table is read without it. */
const TRY_MAX_MINUTES = 7 * 24 * 60;

export const policy: Verb = {
  name: 'policy',
  summary: 'show what is decided, try a change, or look for gaps',
  description: [
    'show: what counts now: the default, the lists of usherd.toml, every forbid and answer with who and when.',
    'try forbid MODULE and try permit MODULE make a change for --minutes: then it goes back by itself, and at once when the machine starts anew or its clock runs back; the deadline stands in decisions.toml, so that a crash changes nothing about it. confirm makes all that is on trial stay.',
    'doctor: one view of modprobe.d, modprobe.blacklist= and module_blacklist= of the kernel command line, and the forbids: for each module named anywhere, whether it is stopped when a device asks, as a dependency, by name with modprobe, and by file with insmod; where usherd stops it and a plain modprobe does not; what still brings it in.',
    'export --modprobe.d: the forbids as lines that a plain modprobe and udev obey, for a file in /etc/modprobe.d.',
  ],
  arguments: [
    { name: 'action', description: 'show, try, confirm, doctor or export', isRequired: true },
    { name: 'words', description: 'what is tried: forbid MODULE or permit MODULE', isVariadic: true },
  ],
  options: [
    { flags: '--minutes <count>', description: 'how long it is tried' },
    { flags: '--reason <text>', description: 'why; it stands in every refusal' },
    { flags: '--dry-run', description: 'only say what would lose its driver' },
    { flags: '--force', description: 'also when it would lock you out' },
    { flags: '--modprobe.d', description: 'what export writes: lines of modprobe.d(5)' },
  ],
  examples: [
    { command: 'usher policy try forbid dccp --reason unused --minutes 10', does: 'Forbidden for ten minutes.' },
    { command: 'usher policy confirm', does: 'What is tried stays.' },
    { command: 'usher policy doctor', does: 'What of all that is written holds.' },
    { command: 'usher policy show', does: 'All that is decided.' },
  ],
  exitStatuses: { 1: 'doctor: usherd and a plain modprobe would differ. confirm: nothing is on trial.' },
  run: runPolicy,
};

async function runPolicy(
  [action = '', ...words]: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  switch (action) {
    case 'show': {
      const { showPolicy } = await import('../policy-show.ts');
      return showPolicy(caller);
    }
    case 'try':
      return tryChange(words, options, caller);
    case 'doctor': {
      const { examinePolicy } = await import('../policy-doctor.ts');
      return examinePolicy(caller);
    }
    case 'export': {
      if (!isSet(options, 'modprobe.d'))
        throw new UsherdError('USAGE', 'policy export needs --modprobe.d: what it is to write');
      const { exportPolicy } = await import('../policy-doctor.ts');
      return exportPolicy(caller);
    }
    case 'confirm': {
      const { makeChange } = await import('../make-change.ts');
      const { printJson, printLines } = await import('../output.ts');
      const { isChanged } = await makeChange({ kind: 'confirm', force: isSet(options, 'force') }, caller);
      if (caller.isJson) printJson(caller, { kind: 'confirm', isChanged });
      else printLines(caller, [isChanged ? 'what was tried stays' : 'nothing is on trial']);
      return isChanged ? 0 : 1;
    }
    default:
      throw new UsherdError(
        'USAGE',
        `"${action}" is nothing policy does; it does show, try, confirm, doctor and export`,
      );
  }
}

async function tryChange(
  [kind, subject, ...rest]: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  if ((kind !== 'forbid' && kind !== 'permit') || subject === undefined || rest.length > 0)
    throw new UsherdError('USAGE', 'policy try wants forbid MODULE or permit MODULE');
  const tryMinutes = countOption(options, 'minutes', { flag: '--minutes', min: 1, max: TRY_MAX_MINUTES });
  if (tryMinutes === undefined) throw new UsherdError('USAGE', 'policy try needs --minutes: when it is to go back');
  const reason = kind === 'forbid' ? { reason: reasonOf(options) } : {};
  const wish = { kind, subject, ...reason, tryMinutes, force: isSet(options, 'force') };
  return carryOut(wish, isSet(options, 'dryRun'), caller);
}
