import test from 'ava';
import * as fc from 'fast-check';
import type { IndexEntry } from '../../../core/kmod/index/index-format.ts';
import { IndexReader } from '../../../core/kmod/index/index-reader.ts';
import { writeIndex } from '../../../core/kmod/index/index-writer.ts';
import { AliasMatcher } from '../../../core/kmod/lookup/alias-matcher.ts';

const unit = fc.constantFrom('a', 'b', ':', '_', '*', '?', '[ab]', '[!a]', '[a-c]', '\\', '**');
const key = fc.string({ unit, maxLength: 7 });
const entry = fc.record({ key, value: fc.constantFrom('m', 'n', 'o'), priority: fc.nat(3) });
const query = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ':', '_', '\\'), maxLength: 7 });

/** What depmod leaves in an index: entries in its own order, so that both sides begin with the same. */
function indexed(entries: readonly IndexEntry[]): IndexReader {
  return new IndexReader(writeIndex(entries), 'modules.alias.bin');
}

test('the compiled matcher answers as the index does, in its order, whatever the patterns', t => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 25 }), fc.array(query, { maxLength: 10 }), (entries, queries) => {
      const index = indexed(entries);
      const matcher = AliasMatcher.build(index.entries(), {});
      for (const text of queries) {
        t.deepEqual(
          matcher.match(text).map(({ pattern, module }) => `${pattern} ${module}`),
          index.searchWild(text).map(({ key: pattern, value }) => `${pattern} ${value}`),
          text,
        );
      }
    }),
    { numRuns: 1500 },
  );
});

test('a module two patterns of which match is there twice, as in modprobe -R', t => {
  const matcher = AliasMatcher.build(
    [
      { key: 'pci:v1*', value: 'igb', priority: 2 },
      { key: 'pci:v1d2', value: 'igb', priority: 2 },
      { key: 'pci:*', value: 'any', priority: 1 },
    ],
    {},
  );
  t.deepEqual(
    matcher.match('pci:v1d2').map(({ module, pattern }) => [module as string, pattern]),
    [
      ['any', 'pci:*'],
      ['igb', 'pci:v1d2'],
      ['igb', 'pci:v1*'],
    ],
  );
  t.deepEqual(matcher.match('usb:v1'), []);
});

test('patterns made to go wrong do not make a look-up slow', t => {
  const entries = Array.from({ length: 60 }, (_, i) => ({
    key: `${'*a?'.repeat(i % 20)}*${String.fromCharCode(97 + (i % 26))}`,
    value: `m${i}`,
    priority: i,
  }));
  const matcher = AliasMatcher.build(entries, {});
  const index = indexed(entries);
  const text = 'a'.repeat(1500);
  t.deepEqual(
    matcher.match(text).map(({ module }) => module as string),
    index.searchWild(text).map(({ value }) => value),
  );
});

test('characters beyond a byte match stars and question marks and nothing else', t => {
  const matcher = AliasMatcher.build(
    [
      { key: 'a*', value: 'star', priority: 0 },
      { key: 'a?', value: 'any', priority: 1 },
      { key: 'a[a-z]', value: 'set', priority: 2 },
    ],
    {},
  );
  t.deepEqual(
    matcher.match('a\u20ac').map(({ module }) => module as string),
    ['star', 'any'],
  );
});
