import { UsherdError } from '../../errors.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const rules: Verb = {
  name: 'rules',
  summary: 'check, try, format, count or import rules',
  description: [
    "Rules are files NAME.rules in udev(7)'s language, with keys of usherd's own: MODULE, MODALIAS, LICENSE, SIGNER, TAINTS and ORIGIN match, VERDICT, REASON, MODULE, OPTIONS{module} and DRIVER_OVERRIDE assign. They are read from rules.d in usherd's configuration folders and from the folders of rules_dirs in usherd.toml(5).",
    'check [FILE…]: every problem with its file, line and column, and what to write instead; without FILE all rules that count.',
    'test DEVICE: goes through all rules for a device that is there as if ACTION had just happened to it: which rules matched, which did not and on which key, what was set, and what the rules say of its modules. Programs of PROGRAM and IMPORT are run, those of RUN are not.',
    'fmt FILE…: prints the rules evenly written; with --write the files are changed, with --check it only says which would be.',
    'stats: how often each rule matched, by the ledger; --days says what counts as never. A rule is known by its file and line.',
    "import usbguard FILE: USBGuard's rules.conf in this language; import modprobe.d FILE…: the blacklist lines of files of modprobe.d(5). Lines that cannot be translated are named with why.",
  ],
  arguments: [
    { name: 'action', description: 'check, test, fmt, stats or import', isRequired: true },
    {
      name: 'words',
      description: 'files, a device, or what is imported and from where',
      isVariadic: true,
      completes: 'file',
    },
  ],
  options: [
    { flags: '--action <action>', description: 'test: what happens to the device', completes: 'text' },
    { flags: '--matched', description: 'test: only rules that matched' },
    { flags: '--write', description: 'fmt: change the files' },
    { flags: '--check', description: 'fmt: only say which files are not formatted' },
    { flags: '--days <count>', description: 'stats: rules that did not match for so long are named (90)' },
    {
      flags: '--rules-dir <dir>',
      description: 'read rules from here instead; may be given several times, strongest first',
      completes: 'directory',
      isRepeatable: true,
    },
  ],
  examples: [
    { command: 'usher rules check', does: 'Everything that is wrong with the rules that count.' },
    { command: 'usher rules test /sys/class/net/eth0', does: 'What every rule says of an interface, and why.' },
    {
      command: 'usher rules import usbguard /etc/usbguard/rules.conf',
      does: "USBGuard's rules, to be kept in a file.",
    },
  ],
  exitStatuses: {
    1: 'check: something is wrong, beyond style. fmt --check: a file is not formatted. import: a line could not be translated.',
  },
  run: runRules,
};

async function runRules(
  [action = '', ...words]: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  switch (action) {
    case 'check':
      return (await import('../rules/check.ts')).checkRuleFiles(words, options, caller);
    case 'test':
      return (await import('../rules/try-device.ts')).tryDevice(words, options, caller);
    case 'fmt':
      return (await import('../rules/fmt.ts')).formatRuleFiles(words, options, caller);
    case 'stats':
      return (await import('../rules/stats.ts')).printRuleStats(options, caller);
    case 'import':
      return (await import('../rules/import.ts')).importRules(words, caller);
    default:
      throw new UsherdError('USAGE', `"${action}" is nothing rules does; it does check, test, fmt, stats and import`);
  }
}
