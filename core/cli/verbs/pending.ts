import type { PendingItem } from '../../pipeline/4-policy/pending-queue.ts';
import { UsherdError } from '../../errors.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const pending: Verb = {
  name: 'pending',
  summary: 'list the devices that wait for an answer',
  description: [
    'A device that policy holds waits without its driver until usher approve or usher deny has answered, a day at most. What waits survives a restart of the daemon, as long as the very same device is there.',
    'Drivers that a plugin has proposed for a device without one, and that nobody has installed yet, wait, too; in --json such an object has the one key "proposed".',
  ],
  arguments: [],
  options: [],
  examples: [
    { command: 'usher pending --json', does: 'One object a device: its number, what was seen, why it is held.' },
  ],
  run: runPending,
};

async function runPending(_args: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { proposedDrivers } = await import('../proposed-drivers.ts');
  const items = await pendingItems(caller);
  const proposed = await proposedDrivers(caller);
  if (caller.isJson)
    for (const item of [...items, ...proposed.map(driver => ({ proposed: driver }))]) printJson(caller, item);
  else if (items.length === 0) printLines(caller, proposed.length === 0 ? ['no device waits'] : []);
  else {
    const { formatTable } = await import('../../pipeline/8-report/table.ts');
    const { formatShortTime } = await import('../../pipeline/8-report/quantity.ts');
    const columns = [
      { title: 'ID', align: 'right' as const },
      { title: 'SINCE' },
      { title: 'DEVICE', canShrink: true },
      { title: 'MODULES' },
      { title: 'WHY', canShrink: true },
    ];
    const rows = items.map(({ id, heldAtMs, seen, modules, reasons }) => [
      String(id),
      formatShortTime(heldAtMs),
      seen.devpath,
      modules.join(' '),
      reasons.join('; '),
    ]);
    printLines(caller, formatTable(columns, rows, terminal(caller)));
  }
  if (!caller.isJson)
    printLines(
      caller,
      proposed.flatMap(({ devpath, title, reason, command }) => [
        `${devpath}: ${title}`,
        `  ${reason}`,
        `  ${command}`,
      ]),
    );
  return 0;
}

/** From the daemon; without one, from the ledger: what waited when it stopped. */
async function pendingItems(caller: Caller): Promise<readonly PendingItem[]> {
  const { askDaemon } = await import('../daemon-call.ts');
  try {
    const items: unknown[] = [];
    for await (const item of askDaemon(caller, 'pending')) items.push(item);
    return items as readonly PendingItem[];
  } catch (error) {
    if (!(error instanceof UsherdError) || error.code !== 'DAEMON_UNREACHABLE') throw error;
  }
  const { History } = await import('../../pipeline/7-ledger/history.ts');
  const path = await import('node:path');
  const history = History.open(path.join(caller.roots.stateDir, 'ledger.sqlite'));
  try {
    return history.pending();
  } finally {
    history.close();
  }
}
