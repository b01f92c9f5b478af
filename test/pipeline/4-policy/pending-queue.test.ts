import test from 'ava';
import { PENDING_MAX_DEVICES, PendingQueue, type PendingItem } from '../../../core/pipeline/4-policy/pending-queue.ts';
import { differences, looksLike, type SeenDevice } from '../../../core/pipeline/4-policy/seen-device.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';

function item(id: number, devpath: string, seen: Partial<SeenDevice> = {}): PendingItem {
  return {
    id,
    entry: id,
    subsystem: 'usb',
    modules: [],
    reasons: [],
    seen: { devpath: devpath as Devpath, modalias: 'usb:v1', inode: '7', ...seen },
    heldAtMs: id,
    expiresAtMs: id + 1000,
  };
}

test('a device has one question: a new one about the same place takes the place of the old', t => {
  const queue = new PendingQueue();
  const [old, other, fresh] = [item(1, '/devices/a'), item(2, '/devices/b'), item(3, '/devices/a', { inode: '8' })];
  t.deepEqual([queue.add(old), queue.add(other)], [{}, {}]);
  t.is(queue.standing(fresh.seen), undefined);
  t.deepEqual(queue.add(fresh), { replaced: old });
  t.deepEqual(queue.items, [other, fresh]);
  t.is(queue.standing(fresh.seen), fresh);
  t.deepEqual([queue.byId(1), queue.byId(3)], [undefined, fresh]);
});

test('when as many wait as may, the one that waited longest is let go', t => {
  const queue = new PendingQueue();
  for (let id = 1; id <= PENDING_MAX_DEVICES; id++) t.deepEqual(queue.add(item(id, `/devices/d${id}`)), {});
  const added = queue.add(item(9999, '/devices/late'));
  t.is(added.crowdedOut?.id, 1);
  t.is(queue.items.length, PENDING_MAX_DEVICES);
});

test('what has waited too long is taken out at its time, and not before', t => {
  const queue = new PendingQueue();
  for (const id of [1, 2]) queue.add(item(id, `/devices/d${id}`));
  t.is(queue.nextExpiryMs, 1001);
  t.deepEqual(queue.takeExpired(1000), []);
  t.deepEqual(
    queue.takeExpired(1001).map(({ id }) => id),
    [1],
  );
  t.is(queue.nextExpiryMs, 1002);
  t.deepEqual([queue.takeExpired(9999).length, queue.nextExpiryMs], [1, undefined]);
});

test('another device in the same place is told by each thing that was seen', t => {
  const { seen } = item(1, '/devices/a', { descriptors: 'aa', diskseq: '1' });
  t.deepEqual(differences(seen, seen), []);
  t.deepEqual(differences(seen, undefined), ['it is gone']);
  for (const change of [{ modalias: 'x' }, { descriptors: 'bb' }, { diskseq: '2' }, { inode: '9' }]) {
    const [key = ''] = Object.keys(change);
    t.is(differences(seen, { ...seen, ...change }).length, 1, key);
    t.is(looksLike(seen, { ...seen, ...change }), key === 'diskseq' || key === 'inode');
  }
});
