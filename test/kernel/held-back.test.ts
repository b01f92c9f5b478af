import test from 'ava';
import { readInTime } from '../../core/kernel/held-back.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';

const DEVICES = Array.from({ length: 600 }, (_, n) => ({ devpath: `/devices/d${n}` as Devpath }));
const HELD = new Set(['/devices/d7', '/devices/d300', '/devices/d301']);

test('of many devices those that are held back are found, all others are read in their order, and nobody waits for them again', async t => {
  // Waiting for what is held back keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  const letGo = Promise.withResolvers<undefined>();
  const asked: Devpath[] = [];
  const read = async (some: readonly { readonly devpath: Devpath }[]): Promise<readonly string[]> => {
    asked.push(...some.map(({ devpath }) => devpath));
    if (some.some(({ devpath }) => HELD.has(devpath))) await letGo.promise;
    return some.map(({ devpath }) => devpath);
  };
  const free = DEVICES.map(({ devpath }) => devpath).filter(devpath => !HELD.has(devpath));
  const first = await readInTime(DEVICES, read);
  t.deepEqual(first.read, free);
  t.deepEqual(
    first.heldBack.map(({ devpath }) => devpath as string),
    [...HELD],
  );
  asked.length = 0;
  const second = await readInTime(DEVICES, read);
  t.deepEqual(second, { read: free, heldBack: first.heldBack });
  t.deepEqual(asked, free);
  letGo.resolve(undefined);
  await new Promise(resolve => setImmediate(resolve));
  t.deepEqual(await readInTime(DEVICES, read), { read: DEVICES.map(({ devpath }) => devpath), heldBack: [] });
});

test('nothing is read of no devices', async t => {
  const none: { readonly devpath: Devpath }[] = [];
  t.deepEqual(await readInTime(none, () => Promise.reject(new Error('nobody asks'))), { read: [], heldBack: [] });
});
