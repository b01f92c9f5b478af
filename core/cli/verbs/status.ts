import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const status: Verb = {
  name: 'status',
  summary: 'tell how the running daemon is doing',
  description: [
    'Asks the daemon: since when it runs, where events come from, how many it handled, loaded, rejected and lost, and where the ledger is.',
  ],
  arguments: [],
  options: [],
  examples: [{ command: 'usher status --json', does: 'The same for a program.' }],
  run: runStatus,
};

async function runStatus(_args: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { askDaemon } = await import('../daemon-call.ts');
  const { formatStatus } = await import('../../pipeline/8-report/status-report.ts');
  for await (const item of askDaemon(caller, 'status')) {
    if (caller.isJson) printJson(caller, item);
    else printLines(caller, formatStatus(item as never, Date.now(), terminal(caller)));
  }
  return 0;
}
