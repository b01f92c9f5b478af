import { History } from '../pipeline/7-ledger/history.ts';

/** Opens a ledger for one question. A part of its own in dist/, for who asks only where there is one. */
export function askLedger<Answer>(file: string, ask: (ledger: History) => Answer): Answer {
  const ledger = History.open(file);
  try {
    return ask(ledger);
  } finally {
    ledger.close();
  }
}
