import type { InstallHands } from '../drivers/install/install-hands.ts';
import { interrupted, readJournals } from '../drivers/install/journal.ts';
import { recover } from '../drivers/install/recover.ts';
import { formatProblem } from '../vocabulary/place.ts';
import type { Transaction } from '../drivers/install/transaction.ts';
import type { Caller } from './verb.ts';

/** Brings every transaction that was cut off to an end → how they ended. */
export async function recoverAll(caller: Caller, hands: InstallHands): Promise<readonly Transaction[]> {
  const { stateDir } = hands.roots;
  for (const problem of readJournals(stateDir).problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  const ended: Transaction[] = [];
  for (const transaction of interrupted(stateDir)) {
    caller.stderr.write(
      `usher: ${transaction.id} (${transaction.candidate.id}) was cut off at "${transaction.step}"\n`,
    );
    ended.push(await recover(transaction, hands));
  }
  return ended;
}
