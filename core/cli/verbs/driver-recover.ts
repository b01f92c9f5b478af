import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverRecover: Verb = {
  name: 'driver recover',
  summary: 'bring installations of drivers that were cut off to an end',
  description: [
    'After a loss of power, or a kill, the journal in the state folder has the step an installation was at. One that had changed nothing is dropped; else dpkg finishes what it had begun, and when all is there the rest is done: indexes, load, and the proof that a driver has the device. What is not whole is taken back. Started at boot by usherd-drivers.service, and by install and remove before they do anything.',
  ],
  arguments: [],
  options: [],
  examples: [{ command: 'usher driver recover', does: 'Finish or take back what a loss of power cut off.' }],
  exitStatuses: { 14: 'one could be brought to no good end' },
  run: runRecover,
};

async function runRecover(_args: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { installHands } = await import('../install-hands.ts');
  const { recoverAll } = await import('../recover-drivers.ts');
  const { troubleLines } = await import('../install-driver.ts');
  const { printJson, printLines } = await import('../output.ts');
  const hands = installHands(caller, text => {
    if (!caller.isJson) caller.stderr.write(`  ${text}\n`);
  });
  const ended = await recoverAll(caller, hands);
  for (const transaction of ended) {
    if (caller.isJson) printJson(caller, transaction);
    else {
      const { id, state, driver } = transaction;
      printLines(caller, [`${id}: ${state}${driver === undefined ? '' : ` to ${driver}`}`]);
      for (const line of troubleLines(transaction)) caller.stderr.write(`${line}\n`);
    }
  }
  if (ended.length === 0 && !caller.isJson) printLines(caller, ['nothing was cut off']);
  return ended.some(({ state }) => state === 'failed' || state === 'open') ? 14 : 0;
}
