import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Rest } from '../../core/daemon/rest.ts';

/** Several times what Rest waits until it cleans up. */
const RESTED_MS = 4000;

/** Something that is garbage once this returns. */
function garbage(): WeakRef<object> {
  return new WeakRef({ since: 'now' });
}

async function rested(rest: Rest): Promise<void> {
  rest.disturb();
  await pause(RESTED_MS);
}

test('what little a device leaves behind is not collected, much is', async t => {
  const rest = new Rest();
  const afterStart = garbage();
  await rested(rest);
  t.is(afterStart.deref(), undefined, 'the first rest cleans up after the start');
  const little = garbage();
  await rested(rest);
  t.not(little.deref(), undefined);
  const much = Array.from({ length: 400_000 }, (_, n) => ({ n, text: `${n}` }));
  t.is(much.length, 400_000);
  much.length = 0;
  await rested(rest);
  t.is(little.deref(), undefined);
  rest.stop();
});
