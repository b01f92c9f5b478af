import path from 'node:path';
import { UsherdError } from '../errors.ts';
import type { History } from '../pipeline/7-ledger/history.ts';
import type { Boot } from '../pipeline/7-ledger/questions.ts';
import type { Caller } from './verb.ts';

/** The ledger's file, for a caller's state folder. */
export function ledgerFile({ roots }: Pick<Caller, 'roots'>): string {
  return path.join(roots.stateDir, 'ledger.sqlite');
}

/** Opens the history, has it answer, and closes it again. @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER */
export async function withHistory<Answer>(
  caller: Caller,
  ask: (history: History) => Answer | Promise<Answer>,
): Promise<Answer> {
  const { History: Opened } = await import('../pipeline/7-ledger/history.ts');
  const history = Opened.open(ledgerFile(caller));
  try {
    return await ask(history);
  } finally {
    history.close();
  }
}

/** A boot as people name it: 0 the newest, -1 the one before, or a boot id or the beginning of one. @throws {UsherdError} NOT_FOUND */
export function bootOf(history: History, text: string, flag: string): Boot {
  const boots = history.boots();
  const found = boots.filter(
    ({ number, bootId }) => String(number) === text || (text.length >= 4 && bootId.startsWith(text)),
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new UsherdError(
    'NOT_FOUND',
    `${flag} has "${text}", wanted 0 for the newest boot, -1 for the one before, or a boot id; the record has ${boots.length}`,
    { boots: boots.map(({ bootId }) => bootId) },
  );
}
