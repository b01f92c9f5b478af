import { countOption } from '../option-values.ts';
import { printJson } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

/** The daemon waits no longer than this for anybody. */
const TIMEOUT_MAX_S = 120;

export const settle: Verb = {
  name: 'settle',
  summary: 'wait until the daemon has dealt with every event the kernel has sent',
  description: [
    'Returns when the daemon has handled the event with the number /sys/kernel/uevent_seqnum has now, or a later one, and nothing is in flight: modules loaded, outcomes in the ledger.',
  ],
  arguments: [],
  options: [{ flags: '-t, --timeout <seconds>', description: `longest wait (default and most: ${TIMEOUT_MAX_S})` }],
  examples: [
    {
      command: 'usher trigger --action add && usher settle',
      does: 'Look for drivers again and wait until that is done.',
    },
  ],
  run: runSettle,
};

async function runSettle(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { askDaemon } = await import('../daemon-call.ts');
  const seconds = countOption(options, 'timeout', { flag: '--timeout', max: TIMEOUT_MAX_S }) ?? TIMEOUT_MAX_S;
  for await (const item of askDaemon(caller, 'settle', { timeoutMs: seconds * 1000 })) {
    if (caller.isJson) printJson(caller, item);
  }
  return 0;
}
