import test from 'ava';
import * as fc from 'fast-check';
import type { IndexEntry } from '../../../core/kmod/index/index-format.ts';
import { IndexReader } from '../../../core/kmod/index/index-reader.ts';
import { isIndexKey, writeIndex } from '../../../core/kmod/index/index-writer.ts';
import { globMatches } from '../../../core/kmod/lookup/glob.ts';
import { UsherdError } from '../../../core/errors.ts';

const PAIRS: readonly IndexEntry[] = [
  { key: 'pci:v1d2*', value: 'igb', priority: 7 },
  { key: 'pci:v1d2*', value: 'igb_avb', priority: 3 },
  { key: 'pci:v1*', value: 'generic', priority: 9 },
  { key: 'pci:v[12]d?', value: 'either', priority: 1 },
  { key: 'fs_vfat', value: 'vfat', priority: 4 },
];

function reader(entries: readonly IndexEntry[]): IndexReader {
  return new IndexReader(writeIndex(entries), 'modules.alias.bin');
}

test('a key is found exactly, and no character of it is a wildcard', t => {
  const index = reader(PAIRS);
  t.is(index.search('fs_vfat'), 'vfat');
  t.is(index.search('pci:v1*'), 'generic');
  t.is(index.search('pci:v1d2x'), undefined);
  t.is(index.search('fs_'), undefined);
  t.is(index.search('fs_vfatx'), undefined);
  t.is(index.search(''), undefined);
});

test('every pattern that matches a text answers, by ascending priority', t => {
  t.deepEqual(reader(PAIRS).searchWild('pci:v1d2'), [
    { key: 'pci:v[12]d?', value: 'either', priority: 1 },
    { key: 'pci:v1d2*', value: 'igb_avb', priority: 3 },
    { key: 'pci:v1d2*', value: 'igb', priority: 7 },
    { key: 'pci:v1*', value: 'generic', priority: 9 },
  ]);
});

test('an index without a pair is its header, and answers nothing', t => {
  const bytes = writeIndex([]);
  t.is(bytes.toString('hex'), 'b007f457000200010000000c');
  const index = new IndexReader(bytes, 'empty.bin');
  t.deepEqual([index.search('a'), index.searchWild('a'), index.entries()], [undefined, [], []]);
});

test('a file that is no index is refused with what was found and what was wanted', t => {
  const refuse = (bytes: Buffer): string | undefined =>
    t.throws(() => new IndexReader(bytes, 'x.bin'), { instanceOf: UsherdError })?.message;
  t.is(refuse(Buffer.alloc(5)), 'x.bin: has 5 bytes, an index begins with a header of 12');
  t.is(refuse(Buffer.alloc(12)), 'x.bin: begins with 0x00000000, an index begins with 0xb007f457');
  const newer = writeIndex([]);
  newer.writeUInt16BE(3, 4);
  t.is(refuse(newer), 'x.bin: has version 3.1, this reader knows 2.x');
});

test('an index cut off at any byte is refused or answers, and never fails otherwise', t => {
  const bytes = writeIndex(PAIRS);
  let refused = 0;
  for (let length = 0; length < bytes.length; length++) {
    try {
      const index = new IndexReader(bytes.subarray(0, length), 'cut.bin');
      index.entries();
      index.searchWild('pci:v1d2');
      index.search('fs_vfat');
    } catch (error) {
      t.true(error instanceof UsherdError, String(error));
      refused++;
    }
  }
  t.true(refused > bytes.length / 2);
});

test('an index whose nodes point back at themselves is refused, not followed for ever', t => {
  const bytes = writeIndex([{ key: 'ab', value: 'x', priority: 0 }]);
  const looping = Buffer.from(bytes);
  const root = bytes.readUInt32BE(8);
  // The root's only child word becomes the root itself.
  looping.writeUInt32BE(root, (root & 0x0fffffff) + 2);
  const index = new IndexReader(looping, 'loop.bin');
  t.is(t.throws(() => index.entries(), { instanceOf: UsherdError })?.code, 'INDEX_DAMAGED');
  t.is(index.search('a'.repeat(50)), undefined);
});

const key = fc.string({ unit: fc.constantFrom('a', 'b', '_', '*', '?', '[ab]', ':'), maxLength: 8 }).filter(isIndexKey);
const entry = fc.record({ key, value: fc.stringMatching(/^[a-z_]{1,6}$/), priority: fc.nat(5) });

test('what is written is what is read', t => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), entries => {
      const written = entries.map(({ key: k, value, priority }) => `${k} ${value} ${priority}`).toSorted();
      const read = reader(entries)
        .entries()
        .map(({ key: k, value, priority }) => `${k} ${value} ${priority}`)
        .toSorted();
      t.deepEqual(read, written);
    }),
  );
});

test('a search finds the patterns that fnmatch(3) says match, each as often as it is there', t => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 30 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '_', ':'), maxLength: 6 }),
      (entries, query) => {
        const expected = entries.filter(({ key: pattern }) => globMatches(pattern, query)).map(({ value }) => value);
        t.deepEqual(
          reader(entries)
            .searchWild(query)
            .map(({ value }) => value)
            .toSorted(),
          expected.toSorted(),
        );
      },
    ),
  );
});

test('bytes from anywhere make the reader answer or refuse', t => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      (entries, changes) => {
        const bytes = Buffer.from(writeIndex(entries));
        for (const [at, byte] of changes) bytes[12 + (at % Math.max(1, bytes.length - 12))] = byte;
        try {
          const index = new IndexReader(bytes, 'fuzzed.bin');
          index.search('ab');
          index.searchWild('ab:a_b');
          index.entries();
        } catch (error) {
          t.true(error instanceof UsherdError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});
