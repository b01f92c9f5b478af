import test, { type ExecutionContext } from 'ava';
import { Unavailable } from '../support/debian-packages.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { Guest, type BootOptions } from './guest.ts';
import { whyNoMachine } from './requirements.ts';

/** One thing that happens in the guest. Those of one boot run one after another, in the order they are written. */
export type Scenario = (title: string, play: (t: ExecutionContext, guest: Guest) => Promise<void>) => void;

/** Longest a file of scenarios may take before it is taken for hung: fetching and booting included. */
const FILE_MAX_MS = 9 * 60_000;

/**
 * Boots a guest for the scenarios of one file and says how to declare them. Where there can be none, every scenario is skipped and
 * says why. The guest is gone when the file ends.
 */
export async function guestFor(options: BootOptions): Promise<Scenario> {
  let guest: Guest | undefined;
  let why = whyNoMachine();
  try {
    if (why === undefined) guest = await Guest.boot(options);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    why = error.message;
  }
  const declare = testUnless(why, { isSerial: true });
  test.after.always(async () => guest?.stop());
  return (title, play) =>
    declare(title, async t => {
      t.timeout(FILE_MAX_MS);
      if (guest === undefined) return;
      try {
        await play(t, guest);
      } catch (error) {
        t.log(await guest.troubleReport().catch(() => guest?.machine.consoleTail()));
        throw error;
      }
    });
}
