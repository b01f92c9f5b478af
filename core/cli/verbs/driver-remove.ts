import { UsherdError } from '../../errors.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverRemove: Verb = {
  name: 'driver remove',
  summary: 'go back: unload a driver that was installed, and take its packages away',
  description: [
    'Takes back what one usher driver install did: the modules it brought are unloaded, the packages that were not there before are purged, files are removed, the indexes written anew. Not taken back are packages that were only replaced by a newer version, and the kernel’s taint; both are told.',
  ],
  arguments: [
    {
      name: 'what',
      description: 'an id of usher driver list, a candidate’s name, or a device',
      isRequired: true,
      completes: 'device',
    },
  ],
  options: [],
  examples: [{ command: 'usher driver remove nvidia-driver-535', does: 'As it was before it was installed.' }],
  exitStatuses: { 14: 'it could not be taken back whole; the message says what is left' },
  run: runRemove,
};

async function runRemove([word = '']: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { installHands } = await import('../install-hands.ts');
  const { recoverAll } = await import('../recover-drivers.ts');
  const { readJournals } = await import('../../drivers/install/journal.ts');
  const { undo } = await import('../../drivers/install/undo.ts');
  const { deviceMatcher } = await import('../device-lookup.ts');
  const hands = installHands(caller, text => {
    if (!caller.isJson) caller.stderr.write(`  ${text}\n`);
  });
  await recoverAll(caller, hands);
  const { transactions } = readJournals(caller.roots.stateDir);
  const isDevice = deviceMatcher(word, caller.roots);
  const there = transactions.filter(({ state }) => state === 'bound' || state === 'installed' || state === 'failed');
  const meant = there.findLast(
    ({ id, candidate, device }) =>
      id === word || candidate.id === word || isDevice({ devpath: device } as Parameters<typeof isDevice>[0]),
  );
  if (meant === undefined)
    throw new UsherdError(
      'NOT_FOUND',
      `"${word}" was not installed by usher; there is ${there.map(({ id }) => id).join(', ') || 'nothing'}`,
    );
  const { transaction, left } = await undo(meant, 'removed', hands);
  if (caller.isJson) printJson(caller, { ...transaction, left });
  else
    printLines(caller, [
      transaction.state === 'removed' ? `${meant.candidate.id} is gone` : `${meant.candidate.id} is not gone`,
      ...left.map(text => `  ${text}`),
    ]);
  return transaction.state === 'removed' ? 0 : 14;
}
