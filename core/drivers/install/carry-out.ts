import type { InstallHands } from './install-hands.ts';
import { writeJournal } from './journal.ts';
import { buildModules } from './dkms.ts';
import { fetchPackages, removeWorkFolders } from './fetch-packages.ts';
import { fetchCatalogueFile, placeCatalogueFile } from './install-file.ts';
import { installPackages } from './install-packages.ts';
import { indexStep, loadStep, verifyStep } from './load-driver.ts';
import { noteTransaction } from './note-transaction.ts';
import {
  STEP_TEXT,
  TRANSACTION_STEPS,
  type StepAnswer,
  type Transaction,
  type TransactionStep,
} from './transaction.ts';

type Take = (transaction: Transaction, hands: InstallHands) => Promise<StepAnswer>;

const STEPS: Readonly<Record<TransactionStep, Take>> = {
  fetch: (transaction, hands) =>
    transaction.candidate.kind === 'file' ? fetchCatalogueFile(transaction, hands) : fetchPackages(transaction, hands),
  install: async (transaction, hands) =>
    transaction.candidate.kind === 'file'
      ? placeCatalogueFile(transaction, hands)
      : installPackages(transaction, hands),
  build: buildModules,
  index: indexStep,
  load: loadStep,
  verify: verifyStep,
};

/**
 * Carries a transaction out from the step it is at to its end → how it ended. Each step stands in the journal and in the ledger before
 * it begins, so that a loss of power at any moment leaves behind what it was about to do. A step that fails ends it; what was done
 * until then is still there (undo.ts).
 */
export async function carryOut(start: Transaction, hands: InstallHands): Promise<Transaction> {
  let transaction = start;
  for (const step of TRANSACTION_STEPS.slice(TRANSACTION_STEPS.indexOf(start.step))) {
    transaction = { ...transaction, step };
    await keep(transaction, hands);
    hands.tell(`${STEP_TEXT[step]} …`);
    const answer = await STEPS[step](transaction, hands);
    if (answer.kind === 'failed') {
      const { message, advice = [], log } = answer;
      const trouble = { step, message, advice, ...(log === undefined ? {} : { log }) };
      return end({ ...transaction, state: 'failed', trouble }, hands);
    }
    transaction = { ...transaction, ...answer.facts };
  }
  removeWorkFolders(hands.roots, transaction.id);
  return end({ ...transaction, state: hands.roots.isRunningSystem ? 'bound' : 'installed' }, hands);
}

/** Writes a transaction to its journal and its row to the ledger. */
export async function keep(transaction: Transaction, hands: InstallHands): Promise<void> {
  writeJournal(hands.roots.stateDir, transaction);
  await hands.record(noteTransaction(transaction));
}

/** The same, once it has come to an end. */
export async function end(transaction: Transaction, hands: InstallHands): Promise<Transaction> {
  const ended = { ...transaction, endedAt: new Date().toISOString() };
  await keep(ended, hands);
  return ended;
}
