import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { Transaction } from './transaction.ts';

/** More than anybody installs in a machine's life; beyond it the oldest are not read. */
const TRANSACTIONS_MAX = 10_000;

/** The folder of transactions: one file each, which is its journal while it runs and its record afterwards. */
export function journalDir(stateDir: string): string {
  return path.join(stateDir, 'drivers');
}

/**
 * Writes a transaction's file: beside its place, synced, then moved there, so that after a loss of power there is the one before or
 * this one. @throws {UsherdError} FILE_UNWRITABLE
 */
export function writeJournal(stateDir: string, transaction: Transaction): void {
  const dir = journalDir(stateDir);
  const file = path.join(dir, `${transaction.id}.json`);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
    const beside = `${file}.tmp`;
    const fd = openSync(beside, 'w', 0o640);
    try {
      writeSync(fd, `${JSON.stringify(transaction, undefined, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    const folder = openSync(dir, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw new UsherdError(
      'FILE_UNWRITABLE',
      `${file}: it cannot be written: ${(error as Error).message}`,
      { file },
      error,
    );
  }
}

/** All transactions of a state folder, oldest first, and files that are none. */
export function readJournals(stateDir: string): {
  readonly transactions: readonly Transaction[];
  readonly problems: readonly Problem[];
} {
  const dir = journalDir(stateDir);
  const problems: Problem[] = [];
  const transactions = namesIn(dir).flatMap((name): readonly Transaction[] => {
    const file = path.join(dir, name);
    try {
      const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Transaction> | null;
      if (isTransaction(value) && `${value.id}.json` === name) return [value];
      problems.push({ place: { file }, message: 'it is no transaction of this name' });
    } catch (error) {
      problems.push({ place: { file }, message: `it cannot be read: ${(error as Error).message}` });
    }
    return [];
  });
  return { transactions, problems };
}

/** Transactions that were cut off: by a loss of power, or a kill. */
export function interrupted(stateDir: string): readonly Transaction[] {
  return readJournals(stateDir).transactions.filter(({ state }) => state === 'open');
}

/** Whether a file's value has what recovery and undoing go by; the file is root's own, and may be damaged. */
function isTransaction(value: Partial<Transaction> | null): value is Transaction {
  if (value === null || typeof value !== 'object') return false;
  const { id, state, step, device, release, candidate, consent, packages, files, modules } = value;
  return (
    [id, state, step, device, release].every(text => typeof text === 'string') &&
    [candidate, consent].every(part => typeof part === 'object' && part !== null) &&
    [packages, files, modules].every(list => Array.isArray(list))
  );
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter(name => name.endsWith('.json'))
      .toSorted()
      .slice(-TRANSACTIONS_MAX);
  } catch {
    return [];
  }
}
