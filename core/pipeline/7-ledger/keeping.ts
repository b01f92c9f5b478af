import type { RestsOn } from '../../kernel/rests-on.ts';
import { errnoName, errnoText } from '../../vocabulary/errno.ts';
import type { Durability } from './durability.ts';
import type { LogSync } from './log-sync.ts';

/** What came of keeping rows: what an act rests on, and what that is for those who wait. */
export interface Keeping {
  readonly restsOn: RestsOn;
  /** What has to be put on disk; undefined when that would change nothing. */
  readonly log?: LogSync;
  /** Where the rows are when nothing has to be put on disk. */
  readonly durability: Durability;
}

/** Why something could not be put on disk, in the system's words. */
export interface PutFailure {
  readonly code: string;
  readonly message: string;
}

const RESTS_ON_NOTHING: RestsOn = { fd: undefined, wasPut: () => {} };
export const ALL_ON_DISK: Keeping = { restsOn: RESTS_ON_NOTHING, durability: 'on-disk' };
export const ONLY_IN_MEMORY: Keeping = { restsOn: RESTS_ON_NOTHING, durability: 'in-memory' };

/** EIO, where what failed has no number to say. */
const IO_ERROR = -5;

/** An act rests on what is in this log. `ended` is called once, with why it could not be put on disk when it could not. */
export function restOn(log: LogSync, ended: (failure: PutFailure | undefined) => void): Keeping {
  let lent: ReturnType<LogSync['lend']>;
  try {
    lent = log.lend();
  } catch (error) {
    const { code = 'EIO', message } = error as NodeJS.ErrnoException;
    ended({ code, message });
    return ONLY_IN_MEMORY;
  }
  let isOver = false;
  // Several plans of one decision may each have it put on disk.
  const wasPut = (status: number): void => {
    if (isOver) return;
    isOver = true;
    lent.giveBack();
    const code = errnoName(-status);
    ended(status < 0 ? { code, message: errnoText(code) } : undefined);
  };
  return { restsOn: { fd: lent.fd, wasPut }, log, durability: 'in-memory' };
}

/** Waits for what an act rests on, as one does who has no thread to do it. */
export async function awaitKeeping({ restsOn, log, durability }: Keeping): Promise<Durability> {
  if (log === undefined) return durability;
  const error = await log.sync();
  restsOn.wasPut(error === undefined ? 0 : (error.errno ?? IO_ERROR));
  return error === undefined ? 'on-disk' : 'in-memory';
}
