import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import { DECOMPRESSED_FREE_BYTES, decompressors } from '../../../core/kmod/ko/compression.ts';
import { ModuleFile } from '../../../core/kmod/ko/module-file.ts';
import { writeKo } from '../../support/ko-writer.ts';

const SPEC = {
  modinfo: [
    ['license', 'GPL v2'],
    ['description', 'Grüße'],
    ['vermagic', '6.1.0 SMP mod_unload '],
    ['depends', 'core,usb-common'],
    ['depends', ''],
    ['alias', 'pci:v1*'],
    ['alias', 'pci:v2*'],
    ['firmware', 'a/b.bin'],
    ['softdep', 'pre: x'],
    ['parmtype', 'debug:int'],
    ['parm', 'debug:How much: a lot'],
    ['parm', 'mode:Which'],
  ],
  exports: [['fn', 0x11223344]],
  needs: ['printk', { weak: 'maybe' }],
  versions: [['printk', 5]],
} as const;
const KO = writeKo(SPEC);
const UNPACKERS = decompressors();

function open(bytes: Buffer): ModuleFile {
  return ModuleFile.fromBytes(bytes, 'm.ko', UNPACKERS);
}

/** Asks everything there is to ask. */
function readAll(bytes: Buffer): unknown {
  const module = open(bytes);
  return [module.modinfo(), module.exportedSymbols(), module.neededSymbols(), module.modversions(), module.signature()];
}

test('a module says what it is, what it gives and what it needs', t => {
  const module = open(KO);
  const { strings, ...info } = module.modinfo();
  t.is(strings.length, SPEC.modinfo.length);
  t.deepEqual(info, {
    name: undefined,
    license: 'GPL v2',
    vermagic: '6.1.0 SMP mod_unload ',
    description: 'Grüße',
    depends: ['core', 'usb-common'],
    aliases: ['pci:v1*', 'pci:v2*'],
    firmware: ['a/b.bin'],
    softdeps: ['pre: x'],
    weakdeps: [],
    parameters: [
      { name: 'debug', description: 'How much: a lot', type: 'int' },
      { name: 'mode', description: 'Which', type: '' },
    ],
  });
  t.deepEqual(module.exportedSymbols(), [{ name: 'fn', crc: 0x11223344 }]);
  t.deepEqual(module.neededSymbols(), [
    { name: 'printk', crc: 5, isWeak: false },
    { name: 'maybe', crc: 0, isWeak: true },
  ]);
});

test('without __crc_ symbols the names in __ksymtab_strings are what a module exports', t => {
  t.deepEqual(
    open(
      writeKo({
        exports: [
          ['a', 1],
          ['b', 2],
        ],
        withoutCrcs: true,
      }),
    ).exportedSymbols(),
    [
      { name: 'a', crc: 0 },
      { name: 'b', crc: 0 },
    ],
  );
});

test('packing is told by the first bytes, whatever the name, and changes no answer', t => {
  const xz = decompressors(bytes => bytes.subarray(6));
  const plain = readAll(KO);
  t.deepEqual(readAll(gzipSync(KO)), plain);
  t.deepEqual(readAll(zstdCompressSync(KO)), plain);
  const packed = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), KO]);
  const module = ModuleFile.fromBytes(packed, 'm.ko', xz);
  t.deepEqual([module.compression, module.bytes()], ['xz', KO]);
});

test('an xz module without anything to unpack it is refused with the reason', t => {
  const packed = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), KO]);
  t.is(t.throws(() => open(packed), { instanceOf: UsherdError })?.code, 'COMPRESSION_UNAVAILABLE');
});

test('a file that expands to far more than any module is refused before it does', t => {
  const bomb = Buffer.alloc(DECOMPRESSED_FREE_BYTES + 1);
  for (const pack of [gzipSync, zstdCompressSync]) {
    t.is(t.throws(() => open(pack(bomb)), { instanceOf: UsherdError })?.code, 'MODULE_FILE_TOO_LARGE', pack.name);
  }
  t.is(t.throws(() => open(gzipSync(KO).subarray(0, 60)), { instanceOf: UsherdError })?.code, 'MODULE_FILE_DAMAGED');
});

test('a file on disk is read in place and answers as from memory', t => {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-ko-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'm.ko');
  writeFileSync(file, KO);
  using module = ModuleFile.open(file, UNPACKERS);
  t.deepEqual([module.modinfo(), module.exportedSymbols()], [open(KO).modinfo(), open(KO).exportedSymbols()]);
  t.is(t.throws(() => ModuleFile.open(dir, UNPACKERS), { instanceOf: UsherdError })?.code, 'FILE_UNREADABLE');
  t.is(t.throws(() => ModuleFile.open(`${file}x`, UNPACKERS), { instanceOf: UsherdError })?.code, 'FILE_UNREADABLE');
});

test('a module cut off at any byte is refused', t => {
  for (let length = 0; length < KO.length; length++) {
    t.is(
      t.throws(() => readAll(KO.subarray(0, length)), { instanceOf: UsherdError })?.code,
      'MODULE_FILE_DAMAGED',
      `${length}`,
    );
  }
});

test('a text file is no module, and the message says so', t => {
  t.is(
    t.throws(() => readAll(Buffer.alloc(100, 'x')), { instanceOf: UsherdError })?.message,
    'm.ko+0x0: is not an ELF file',
  );
});

test('changed bytes anywhere make the reader answer or refuse', t => {
  const change = fc.tuple(fc.nat(KO.length - 1), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), changes => {
      const bytes = Buffer.from(KO);
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        readAll(bytes);
      } catch (error) {
        t.true(error instanceof UsherdError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
