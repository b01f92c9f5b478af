import test from 'ava';
import * as fc from 'fast-check';
import type { IndexEntry } from '../../../core/kmod/index/index-format.ts';
import { patchIndex } from '../../../core/kmod/index/index-patch.ts';
import { writeIndex } from '../../../core/kmod/index/index-writer.ts';

/** Few characters and few lengths, so that keys share beginnings, and one is often the beginning of another. */
const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*'), maxLength: 6 });
/** As depmod has them: a module has one name and one priority. */
const entry = fc
  .record({ key, priority: fc.nat({ max: 4 }) })
  .map((one): IndexEntry => ({ ...one, value: `module_${one.priority}` }));
const entries = fc.array(entry, { maxLength: 40 });

test('an index that is patched has the bytes of one that is written anew', t => {
  fc.assert(
    fc.property(entries, entries, entries, (stay, go, come) => {
      const patched = patchIndex(writeIndex([...stay, ...go]), go, come);
      t.deepEqual(patched, writeIndex([...stay, ...come]));
    }),
    { numRuns: 2000 },
  );
});

test('an index without a pair is patched to one with some, and back', t => {
  const pairs = [{ key: 'a', value: 'm', priority: 0 }];
  t.deepEqual(patchIndex(writeIndex([]), [], pairs), writeIndex(pairs));
  t.deepEqual(patchIndex(writeIndex(pairs), pairs, []), writeIndex([]));
});

test('a pair that is to go and is not there makes no index', t => {
  const [one, other] = [
    { key: 'ab', value: 'm', priority: 0 },
    { key: 'abc', value: 'm', priority: 0 },
  ];
  const old = writeIndex([one]);
  for (const gone of [
    other,
    { ...one, priority: 1 },
    { ...one, value: 'n' },
    { ...one, key: '' },
    { ...one, key: 'x' },
  ])
    t.is(patchIndex(old, [gone], []), undefined, JSON.stringify(gone));
  t.is(patchIndex(writeIndex([]), [one], []), undefined);
  // A key that ends within what two others begin with.
  const begun = { ...one, key: 'a' };
  t.is(patchIndex(writeIndex([one, other]), [begun], []), undefined);
  t.is(patchIndex(writeIndex([one, other]), [begun, one], [other]), undefined);
});

test('an index with any byte changed is patched to something, or not at all, and that ends', t => {
  const old = writeIndex(['abc', 'abd', 'ax', 'b', 'ba'].map(each => ({ key: each, value: 'm', priority: 0 })));
  fc.assert(
    fc.property(fc.nat({ max: old.length - 1 }), fc.nat({ max: 255 }), entries, (at, byte, come) => {
      const damaged = Buffer.from(old);
      damaged[at] = byte;
      const patched = patchIndex(damaged, [{ key: 'abd', value: 'm', priority: 0 }], come);
      t.true(patched === undefined || patched.length > 0);
    }),
    { numRuns: 3000 },
  );
});
