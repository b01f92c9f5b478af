import { isSet } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverList: Verb = {
  name: 'driver list',
  summary: 'list the drivers that were installed, for which device, from where and by whose consent',
  description: [
    'What usher driver install has put in place, oldest first: package and version, origin, licence, device, how the kernel was tainted, who consented. Those that were removed or taken back are listed with --all; --json has every package with its hash.',
  ],
  arguments: [],
  options: [{ flags: '-a, --all', description: 'also those that were removed or taken back' }],
  examples: [{ command: 'usher driver list --json', does: 'One object each, with packages, hashes and consent.' }],
  run: runList,
};

async function runList(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { readJournals } = await import('../../drivers/install/journal.ts');
  const { formatProblem } = await import('../../vocabulary/place.ts');
  const { transactions, problems } = readJournals(caller.roots.stateDir);
  for (const problem of problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  const shown = transactions.filter(
    ({ state }) => isSet(options, 'all') || (state !== 'removed' && state !== 'undone'),
  );
  if (caller.isJson) for (const transaction of shown) printJson(caller, transaction);
  else if (shown.length === 0) printLines(caller, ['no driver was installed by usher']);
  else {
    const { formatTable } = await import('../../pipeline/8-report/table.ts');
    const titles = ['ID', 'STATE', 'DEVICE', 'DRIVER', 'CANDIDATE', 'ORIGIN', 'LICENCE', 'TAINT', 'CONSENT'];
    const columns = titles.map(title => ({ title, canShrink: title === 'DEVICE' }));
    const rows = shown.map(({ id, state, device, driver, candidate, taint, consent }) => [
      id,
      state === 'open' ? 'cut off' : state,
      device,
      driver ?? '-',
      `${candidate.id} ${candidate.version}`,
      candidate.origin,
      candidate.licence,
      taint?.letters ?? '-',
      `${consent.how} (uid ${consent.uid})`,
    ]);
    printLines(caller, formatTable(columns, rows, terminal(caller)));
  }
  return 0;
}
