import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import * as fc from 'fast-check';
import { UNPACKERS, UNPACKERS_ASIDE } from '../../../core/kernel/unpackers.ts';
import { mergeDepmodConfig } from '../../../core/kmod/depmod/depmod-conf.ts';
import { planDepmod, planDepmodAside } from '../../../core/kmod/depmod/plan-depmod.ts';
import { expansionLimit, DECOMPRESSED_FREE_BYTES, DECOMPRESSED_MAX_BYTES } from '../../../core/kmod/ko/compression.ts';
import { writeKo } from '../../support/ko-writer.ts';
import { makeWorld } from '../../support/module-world.ts';

const CONFIG = mergeDepmodConfig([], '6.1.0');

test('a tree of plain, packed, damaged and hostile modules has one plan, however many are unpacked at once', async t => {
  const bomb = Buffer.alloc(DECOMPRESSED_FREE_BYTES + 1);
  const { tree } = makeWorld(t, {
    modules: {
      'kernel/a.ko': { exports: [['a_fn', 1]] },
      'kernel/b.ko.gz': gzipSync(writeKo({ needs: ['a_fn'], exports: [['b_fn', 1]] })),
      'kernel/c.ko.zst': zstdCompressSync(writeKo({ needs: ['b_fn'], modinfo: [['alias', 'x:*']] })),
      'kernel/cut.ko.gz': gzipSync(writeKo({})).subarray(0, 40),
      'kernel/bomb.ko.zst': zstdCompressSync(bomb),
      'kernel/not-packed.ko.xz': writeKo({ needs: ['b_fn'] }),
      'kernel/text.ko.xz': Buffer.from('no module'),
      'kernel/empty.ko.gz': Buffer.alloc(0),
      'kernel/packed.ko': gzipSync(writeKo({ needs: ['a_fn'] })),
    },
  });
  const request = { dir: tree, config: CONFIG, unpackers: UNPACKERS };
  const { outputs, problems } = planDepmod(request);
  t.true(problems.some(({ place }) => place.file.endsWith('bomb.ko.zst')));
  for (const lanes of [1, 2, 9]) {
    const aside = await planDepmodAside(request, { unpackers: UNPACKERS_ASIDE, lanes });
    t.deepEqual({ outputs: aside.outputs, problems: aside.problems }, { outputs, problems });
  }
});

test('no more modules are unpacked at once than there are lanes', async t => {
  const modules = Object.fromEntries(
    Array.from({ length: 24 }, (_, i) => [`kernel/m${i}.ko.gz`, gzipSync(writeKo({ exports: [[`fn_${i}`, i]] }))]),
  );
  const { tree } = makeWorld(t, { modules });
  const request = { dir: tree, config: CONFIG, unpackers: UNPACKERS };
  let working = 0;
  let most = 0;
  const gzip: typeof UNPACKERS_ASIDE.gzip = async (bytes, maxBytes) => {
    most = Math.max(most, ++working);
    const unpacked = await UNPACKERS_ASIDE.gzip(bytes, maxBytes);
    working--;
    return unpacked;
  };
  await planDepmodAside(request, { unpackers: { ...UNPACKERS_ASIDE, gzip }, lanes: 3 });
  t.is(most, 3);
});

test('what a module may expand to grows with it, between two bounds', t => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a];
      const limit = expansionLimit(small);
      t.true(limit >= DECOMPRESSED_FREE_BYTES && limit <= DECOMPRESSED_MAX_BYTES && limit <= expansionLimit(large));
    }),
  );
});
