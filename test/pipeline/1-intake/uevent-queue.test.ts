import test from 'ava';
import * as fc from 'fast-check';
import { UeventQueue, type UeventQueueOptions } from '../../../core/pipeline/1-intake/uevent-queue.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { devpathsConflict } from '../../../core/vocabulary/devpath.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';

let nextSeqnum = 0n;

function uevent(devpath: string, extra: Record<string, string> = {}): Uevent {
  nextSeqnum += 1n;
  const seqnum = nextSeqnum as Seqnum;
  return {
    action: 'change',
    devpath: devpath as Devpath,
    subsystem: 'test',
    seqnum,
    env: { ...extra },
    origin: { kind: 'kernel' },
    receivedAtMs: 0,
  };
}

function places(event: Uevent): Devpath[] {
  const old = event.env['DEVPATH_OLD'];
  return old === undefined ? [event.devpath] : [event.devpath, old as Devpath];
}

/** The rule, written out for two events without any cleverness. */
function mustWait(later: Uevent, earlier: Uevent): boolean {
  const name = later.env['DEVNAME'];
  if (name !== undefined && name === earlier.env['DEVNAME']) return true;
  return places(later).some(mine => places(earlier).some(theirs => devpathsConflict(mine, theirs)));
}

const numbersOf = (events: readonly Uevent[]): bigint[] =>
  events.map(event => event.seqnum ?? 0n).toSorted((a, b) => (a < b ? -1 : 1));

/** A queue whose events are finished by hand. */
function queueByHand(options: Partial<UeventQueueOptions> = {}): {
  queue: UeventQueue;
  started: Uevent[];
  finish: (event: Uevent) => Promise<void>;
} {
  const started: Uevent[] = [];
  const finishers = new Map<Uevent, () => void>();
  const queue = new UeventQueue({
    handle: event => {
      started.push(event);
      return new Promise(resolve => finishers.set(event, resolve));
    },
    failed: (_event, error) => {
      throw error;
    },
    ...options,
  });
  const finish = async (event: Uevent): Promise<void> => {
    finishers.get(event)?.();
    finishers.delete(event);
    await new Promise(resolve => setImmediate(resolve));
  };
  return { queue, started, finish };
}

const PAIRS: readonly [title: string, first: Uevent, second: Uevent, waits: boolean][] = [
  ['the same device', uevent('/devices/a'), uevent('/devices/a'), true],
  ['a device and its parent', uevent('/devices/a/b'), uevent('/devices/a'), true],
  ['a device and its grandchild', uevent('/devices/a'), uevent('/devices/a/b/c'), true],
  ['siblings', uevent('/devices/a/b'), uevent('/devices/a/c'), false],
  ['veth9 and veth99', uevent('/devices/virtual/net/veth9'), uevent('/devices/virtual/net/veth99'), false],
  [
    'a device and where another came from',
    uevent('/devices/a'),
    uevent('/devices/b', { DEVPATH_OLD: '/devices/a' }),
    true,
  ],
  [
    'a moved device and its old place below',
    uevent('/devices/b', { DEVPATH_OLD: '/devices/a' }),
    uevent('/devices/a/x'),
    true,
  ],
  ['two of one DEVNAME', uevent('/devices/a', { DEVNAME: 'sda' }), uevent('/devices/b', { DEVNAME: 'sda' }), true],
  [
    'two of different DEVNAMEs',
    uevent('/devices/a', { DEVNAME: 'sda' }),
    uevent('/devices/b', { DEVNAME: 'sdb' }),
    false,
  ],
];
for (const [title, first, second, waits] of PAIRS) {
  test(`of ${title}, the second event ${waits ? 'waits for the first' : 'does not wait'}`, async t => {
    const { queue, started, finish } = queueByHand();
    t.true(queue.push(first));
    t.true(queue.push(second));
    t.deepEqual(started, waits ? [first] : [first, second]);
    await finish(first);
    t.deepEqual(started, [first, second]);
    await finish(second);
    t.is(queue.size, 0);
    t.is(mustWait(second, first), waits);
  });
}

test('an event that moves below its own old place does not wait for itself', t => {
  const { queue, started } = queueByHand();
  queue.push(uevent('/devices/z'));
  queue.push(uevent('/devices/a/b', { DEVPATH_OLD: '/devices/a' }));
  t.is(started.length, 2);
});

test('what is handled at once leaves nothing behind and is done when push returns', async t => {
  const handled: Uevent[] = [];
  const queue = new UeventQueue({ handle: event => void handled.push(event), failed: () => {} });
  const events = [uevent('/devices/a'), uevent('/devices/a/b'), uevent('/devices/a')];
  for (const event of events) {
    queue.push(event);
    t.is(handled.at(-1), event);
    t.is(queue.lastHandledSeqnum, event.seqnum ?? 0n);
  }
  t.deepEqual([queue.size, queue.inFlight], [0, 0]);
  await queue.settled;
});

test('a handler may push more events, and they come after its own', t => {
  const handled: string[] = [];
  const queue: UeventQueue = new UeventQueue({
    handle: event => {
      handled.push(event.devpath);
      if (event.devpath.length < 2000) queue.push(uevent(`${event.devpath}/x`));
      return undefined;
    },
    failed: () => {},
  });
  queue.push(uevent('/devices'));
  t.is(handled.length, 997);
  t.deepEqual([queue.size, queue.inFlight], [0, 0]);
});

test('what a handler pushes for its own device waits until the handler is done', async t => {
  const started: string[] = [];
  const { promise: first, resolve: finishFirst } = Promise.withResolvers<void>();
  const queue: UeventQueue = new UeventQueue({
    handle: event => {
      started.push(event.devpath);
      if (event.devpath !== '/devices/a') return undefined;
      queue.push(uevent('/devices/a/b'));
      queue.push(uevent('/devices/c'));
      return first;
    },
    failed: () => {},
  });
  queue.push(uevent('/devices/a'));
  t.deepEqual(started, ['/devices/a', '/devices/c']);
  finishFirst();
  await queue.settled;
  t.deepEqual(started, ['/devices/a', '/devices/c', '/devices/a/b']);
});

test('a full queue says so and takes events again when one is done', async t => {
  const { queue, finish, started } = queueByHand({ queuedMax: 2 });
  const events = [uevent('/devices/a'), uevent('/devices/b'), uevent('/devices/c')] as const;
  t.deepEqual(
    events.map(event => queue.push(event)),
    [true, true, false],
  );
  await finish(events[0]);
  t.true(queue.push(events[2]));
  t.deepEqual(started, [...events]);
});

test('no more events than allowed are in flight, and the others follow in order', async t => {
  const { queue, started, finish } = queueByHand({ inFlightMax: 2 });
  const events = ['a', 'b', 'c', 'd'].map(name => uevent(`/devices/${name}`));
  for (const event of events) queue.push(event);
  t.deepEqual([queue.size, queue.inFlight], [4, 2]);
  for (const event of events) await finish(event);
  t.deepEqual(started, events);
});

test('a handler that throws or rejects is reported, and its event counts as done', async t => {
  const errors: string[] = [];
  const queue = new UeventQueue({
    handle: event => {
      if (event.devpath === '/devices/a') throw new Error('thrown');
      return Promise.reject(new Error('rejected'));
    },
    failed: (event, error) => errors.push(`${event.devpath}: ${String(error)}`),
  });
  queue.push(uevent('/devices/a'));
  queue.push(uevent('/devices/b'));
  queue.push(uevent('/devices/b'));
  await queue.settled;
  t.deepEqual(errors, ['/devices/a: Error: thrown', '/devices/b: Error: rejected', '/devices/b: Error: rejected']);
});

test('the last handled number stops below the oldest unfinished event, whatever came after it', async t => {
  const { queue, finish } = queueByHand();
  t.is(queue.lastHandledSeqnum, 0n);
  const [first, second] = [uevent('/devices/a'), uevent('/devices/b')];
  queue.push(first);
  queue.push(second);
  const base = first.seqnum ?? 0n;
  t.is(queue.lastHandledSeqnum, base - 1n);
  await finish(second);
  t.is(queue.lastHandledSeqnum, base - 1n);
  await finish(first);
  t.is(queue.lastHandledSeqnum, base + 1n);
});

test('waiting for the queue to settle ends when the last event is done', async t => {
  const { queue, finish } = queueByHand();
  const [first, second] = [uevent('/devices/a'), uevent('/devices/a')];
  queue.push(first);
  queue.push(second);
  let isSettled = false;
  const settled = queue.settled.then(() => (isSettled = true));
  await finish(first);
  t.false(isSettled);
  await finish(second);
  await settled;
  t.true(isSettled);
});

const devpath = fc
  .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
  .map(parts => `/devices/${parts.join('/')}`);
const extra = fc.record(
  { DEVPATH_OLD: devpath, DEVNAME: fc.constantFrom('sda', 'sdb') },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string>>;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.tuple(devpath, extra), isQuick: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ finish: fc.nat() }) },
);

test('in any order of arrival and finish, each event is handled once, after all it must wait for and no later', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const pushed: Uevent[] = [];
      const started: Uevent[] = [];
      const done = new Set<Uevent>();
      const running = new Map<Uevent, () => void>();
      const quick = new Set<Uevent>();
      const queue = new UeventQueue({
        handle: event => {
          const early = pushed.slice(0, pushed.indexOf(event)).filter(other => !done.has(other));
          t.deepEqual(
            early.filter(other => mustWait(event, other)),
            [],
          );
          started.push(event);
          if (quick.has(event)) {
            done.add(event);
            return undefined;
          }
          return new Promise(resolve => running.set(event, resolve));
        },
        failed: (_event, error) => t.fail(String(error)),
      });
      const finish = async (index: number): Promise<void> => {
        const event = [...running.keys()][index % Math.max(running.size, 1)];
        if (event === undefined) return;
        done.add(event);
        running.get(event)?.();
        running.delete(event);
        await new Promise(resolve => setImmediate(resolve));
      };
      for (const next of steps) {
        if ('finish' in next) await finish(next.finish);
        else {
          const event = uevent(...next.push);
          pushed.push(event);
          if (next.isQuick) quick.add(event);
          t.true(queue.push(event));
        }
        const mayRun = pushed.filter(
          (event, at) => !pushed.slice(0, at).some(other => !done.has(other) && mustWait(event, other)),
        );
        t.deepEqual(numbersOf(started), numbersOf(mayRun));
        t.is(queue.size, pushed.length - done.size);
      }
      while (running.size > 0) await finish(0);
      await queue.settled;
      t.is(started.length, pushed.length);
      t.deepEqual(numbersOf(started), numbersOf(pushed));
      t.is(queue.lastHandledSeqnum, pushed.at(-1)?.seqnum ?? 0n);
    }),
    { numRuns: 150 },
  );
});
