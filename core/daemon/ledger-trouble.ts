import type { LedgerTrouble } from '../pipeline/7-ledger/write-behind.ts';
import { formatCount } from '../pipeline/8-report/quantity.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import { assertNever } from '../vocabulary/assert-never.ts';

/** A disk that stays full is told of again after this: each retry would fill the journal, which is on the same disk. */
const TOLD_AGAIN_AFTER_MS = 10 * 60_000;

/** Tells of what the ledger cannot do → its `onTrouble`. */
export function tellTrouble(reporter: Reporter, now: () => number = Date.now): (trouble: LedgerTrouble) => void {
  let told: { readonly code: string; readonly atMs: number } | undefined;
  return trouble => {
    switch (trouble.kind) {
      case 'not-written': {
        const { code, message, heldRows, lostRows } = trouble;
        const isKnown = told?.code === code && now() - told.atMs < TOLD_AGAIN_AFTER_MS;
        if (isKnown) return;
        told = { code, atMs: now() };
        const lost = lostRows === 0 ? '' : `, ${formatCount(lostRows, 'row')} were dropped`;
        const waiting = `${formatCount(heldRows, 'row')} wait in memory${lost}`;
        reporter.emit('notice', 'error', `the ledger cannot be written (${code}: ${message}); ${waiting}`);
        return;
      }
      case 'written-again': {
        told = undefined;
        const { writtenRows, lostRows } = trouble;
        const lost = lostRows === 0 ? '' : `, ${formatCount(lostRows, 'row')} were dropped`;
        reporter.emit(
          'notice',
          'info',
          `the ledger is written again, ${formatCount(writtenRows, 'row')} caught up${lost}`,
        );
        return;
      }
      case 'set-aside': {
        const { file, movedTo, reason } = trouble.setAside;
        reporter.emit(
          'notice',
          'error',
          `${file} was damaged (${reason}); it is kept as ${movedTo}, and a new one is begun`,
        );
        return;
      }
      default:
        assertNever(trouble);
    }
  };
}
