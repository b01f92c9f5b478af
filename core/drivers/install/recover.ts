import { existsSync } from 'node:fs';
import path from 'node:path';
import { readDpkgStatus } from '../apt/dpkg-status.ts';
import { carryOut, end } from './carry-out.ts';
import { removeWorkFolders, sha256Of } from './fetch-packages.ts';
import type { InstallHands } from './install-hands.ts';
import { configurePending } from './install-packages.ts';
import type { Transaction } from './transaction.ts';
import { undo } from './undo.ts';

/**
 * Brings a transaction that was cut off to an end. Before anything was installed it is dropped; after that dpkg first finishes what it
 * had begun, and when all packages are there then, the rest is done; else everything is taken back. Consent was given already.
 */
export async function recover(cut: Transaction, hands: InstallHands): Promise<Transaction> {
  const { tell, roots } = hands;
  const transaction = { ...cut, recoveredAt: new Date().toISOString() };
  if (transaction.undoing !== undefined) {
    await configurePending(hands);
    return (await undo(transaction, transaction.undoing, hands)).transaction;
  }
  if (transaction.step === 'fetch') {
    tell('it was cut off before anything was changed; it is dropped');
    removeWorkFolders(roots, transaction.id);
    return end({ ...transaction, state: 'undone' }, hands);
  }
  if (transaction.candidate.kind === 'package') {
    tell('dpkg finishes what it had begun');
    await configurePending(hands);
    const installed = readDpkgStatus(roots.root);
    const isWhole = transaction.packages.every(({ name, architecture, version }) => {
      const found = installed.get(`${name}:${architecture}`);
      return found?.state === 'installed' && found.version === version;
    });
    if (!isWhole) {
      tell('not all of it had been installed; it is taken back');
      return (await undo(transaction, 'undone', hands)).transaction;
    }
  } else if (!(await areInPlace(transaction, roots.root))) {
    tell('its file had not been put in place; it is taken back');
    return (await undo(transaction, 'undone', hands)).transaction;
  }
  const step = transaction.step === 'install' ? 'build' : transaction.step;
  return carryOut({ ...transaction, step, state: 'open' }, hands);
}

/** Whether the files usher puts in place are there, as they should be. */
async function areInPlace({ files }: Transaction, root: string): Promise<boolean> {
  for (const { path: below, sha256 } of files) {
    const file = path.join(root, below);
    if (!existsSync(file) || (await sha256Of(file)) !== sha256) return false;
  }
  return true;
}
