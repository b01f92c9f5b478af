import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import { decompressors } from '../../../core/kmod/ko/compression.ts';
import { forgetVersions } from '../../../core/kmod/ko/forget-versions.ts';
import { ModuleFile } from '../../../core/kmod/ko/module-file.ts';
import { writeKo, type KoSpec } from '../../support/ko-writer.ts';

const UNPACKERS = decompressors();
/** Longer than an entry of __versions has room for, as names of Rust symbols are. */
const LONG = `_RNvXs_${'NtNtCsabcdefghijk_6kernel5types'.repeat(4)}4drop`;

function open(spec: KoSpec): ModuleFile {
  return ModuleFile.fromBytes(writeKo(spec), 'm.ko', UNPACKERS);
}

for (const bits of [32, 64] as const) {
  for (const endian of ['little', 'big'] as const) {
    test(`a module of ${bits} bits, ${endian}-endian, that has extended versions alone needs their symbols`, t => {
      const module = open({
        bits,
        endian,
        needs: ['printk'],
        extendedVersions: [
          ['printk', 0xdeadbeef],
          [LONG, 7],
          ['.dotted', 8],
        ],
      });
      t.deepEqual(module.modversions(), [
        { name: 'printk', crc: 0xdeadbeef },
        { name: LONG, crc: 7 },
        { name: 'dotted', crc: 8 },
      ]);
      t.deepEqual(module.neededSymbols(), [
        { name: 'printk', crc: 0xdeadbeef, isWeak: false },
        { name: LONG, crc: 7, isWeak: false },
        { name: 'dotted', crc: 8, isWeak: false },
      ]);
    });
  }
}

test('where both tables are, the extended one adds what the other has no room for', t => {
  const module = open({
    versions: [['module_layout', 1]],
    extendedVersions: [
      [LONG, 2],
      ['module_layout', 1],
    ],
  });
  t.deepEqual(module.modversions(), [
    { name: 'module_layout', crc: 1 },
    { name: LONG, crc: 2 },
  ]);
});

test('extended versions with fewer names than checksums, or with one of the two alone, are refused', t => {
  const bytes = writeKo({ extendedVersions: [['a_name', 1]] });
  const said = (change: (bytes: Buffer) => void): string | undefined => {
    const changed = Buffer.from(bytes);
    change(changed);
    const module = ModuleFile.fromBytes(changed, 'm.ko', UNPACKERS);
    return t
      .throws(() => module.modversions(), { instanceOf: UsherdError })
      ?.message.replace(/^m\.ko\+0x[0-9a-f]+: /, '');
  };
  t.is(
    said(changed => changed.write('a_name!!', changed.indexOf('a_name\0\0'))),
    'has 0 names of extended versions, wanted 1, one for each checksum',
  );
  t.is(
    said(changed => changed.write('X', changed.indexOf('__version_ext_crcs'))),
    'has extended versions with names and without checksums',
  );
  t.is(
    said(changed => changed.write('X', changed.indexOf('__version_ext_names'))),
    'has extended versions with checksums and without names',
  );
});

test('whatever the tables hold, there are as many names as checksums, or a refusal', t => {
  const bytes = writeKo({
    extendedVersions: [
      ['first', 1],
      ['second', 2],
    ],
  });
  const names = bytes.indexOf('first\0second');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 14, maxLength: 14 }), content => {
      const changed = Buffer.from(bytes);
      changed.set(content, names);
      const module = ModuleFile.fromBytes(changed, 'm.ko', UNPACKERS);
      if (content.filter(byte => byte === 0).length < 2)
        t.throws(() => module.modversions(), { instanceOf: UsherdError });
      else t.true(module.modversions().length <= 2);
    }),
  );
});

test('a module whose versions are to be forgotten keeps none of the tables', t => {
  const module = open({ versions: [['a', 1]], extendedVersions: [['b', 2]] });
  const { elf } = module;
  const sections = ['__versions', '__version_ext_crcs', '__version_ext_names'].map(
    name => elf.section(name)?.headerOffset ?? 0,
  );
  const allocated = module.bytes();
  for (const header of sections) allocated[header + 8] = 3;
  const image = forgetVersions(ModuleFile.fromBytes(allocated, 'm.ko', UNPACKERS), {
    modversion: true,
    vermagic: false,
  });
  t.deepEqual(
    sections.map(header => image[header + 8]),
    [1, 1, 1],
  );
});
