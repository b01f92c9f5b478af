import type { Caller, OptionValues, Verb } from '../verb.ts';

export const simulate: Verb = {
  name: 'simulate',
  summary: 'say what another policy would have decided',
  description: [
    'DIR is laid out like /etc/usherd: usherd.toml, rules.d, plugins. Every decision of the record is made again by it, with the modules and modprobe.d there are now, and what would be other than it was is printed by who it is owed to: a rule with its line, a plugin, a forbid; the most frequent first, each with how often and with examples. Nothing is changed.',
    'A decisions.toml in DIR stands for the forbids and answers that count now; without one those count. Plugins know what they have stored. Of a device that is not here any more only its event is known: what asks for its attributes or descriptors may answer otherwise than it would have; how many these are is told.',
    'With --shadow it follows the running daemon and prints each difference as it comes, until Ctrl-C. Nothing of it is enforced.',
  ],
  arguments: [],
  options: [
    { flags: '--policy <dir>', description: 'the policy to be tried', completes: 'directory' },
    { flags: '--since <time>', description: 'from this moment on; the last 30 days unless said' },
    { flags: '--until <time>', description: 'before this moment' },
    { flags: '-a, --all', description: 'every difference, not three of each kind' },
    { flags: '--shadow', description: 'follow the running daemon instead of the record' },
  ],
  examples: [
    { command: 'usher simulate --policy ~/new-policy --since 7d', does: 'What would have been other this week.' },
    { command: 'usher simulate --policy ~/new-policy --shadow', does: 'What it would do otherwise from now on.' },
  ],
  exitStatuses: { 1: 'something would be other than it was' },
  run: runSimulate,
};

async function runSimulate(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { simulatePolicy } = await import('../simulate-policy.ts');
  return simulatePolicy(options, caller);
}
