import path from 'node:path';
import test from 'ava';
import { decompressors } from '../../core/kmod/ko/compression.ts';
import { ModuleFile } from '../../core/kmod/ko/module-file.ts';
import type { VersionedSymbol } from '../../core/kmod/ko/modversions.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { debianTree } from '../support/debian-tree.ts';
import { kmodIsHere, makeWorld, runKmod } from '../support/module-world.ts';

/** A module as `modinfo -0` prints it, from what our reader says of it. */
function printAsModinfo(file: string): string {
  using module = ModuleFile.open(file, decompressors());
  const info = module.modinfo();
  const signature = module.signature();
  const lines = [`filename:       ${file}`];
  for (const { key, value } of info.strings) {
    if (key !== 'parm' && key !== 'parmtype') lines.push(`${key}=${value}`);
  }
  if (signature) {
    lines.push(`sig_id=${signature.format}`, `signer=${signature.signer}`, `sig_key=${signature.keyId}`);
    lines.push(`sig_hashalgo=${signature.hash}`, `signature=${wrapped(signature.bytes)}`);
  }
  for (const { name, description, type } of info.parameters.toReversed()) {
    const text = description === '' ? type : type === '' ? description : `${description} (${type})`;
    lines.push(`parm:           ${name}:${text}`);
  }
  return lines.map(line => `${line}\0`).join('');
}

/** As modprobe --show-exports and --show-modversions print them. */
function showSymbols(symbols: readonly VersionedSymbol[]): string {
  return symbols.map(({ name, crc }) => `0x${crc.toString(16).padStart(8, '0')}\t${name}\n`).join('');
}

/** Hex pairs with colons, twenty on a line. */
function wrapped(bytes: Buffer): string {
  const pairs = Array.from(bytes, byte => byte.toString(16).toUpperCase().padStart(2, '0'));
  return pairs.map((pair, i) => pair + (i + 1 === pairs.length ? '' : i % 20 === 19 ? ':\n\t\t' : ':')).join('');
}

test('every module of a Debian kernel says of itself what modinfo prints', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const modules = ModuleTree.open(tree.dir);
  const files = modules.moduleNames().flatMap(name => {
    const entry = modules.module(name);
    return entry === undefined ? [] : [path.join(tree.dir, entry.path)];
  });
  t.true(files.length > 3000);
  const { stdout } = runKmod('modinfo', ['-0', ...files]);
  const theirs = new Map(
    stdout.split(/(?=filename: {7})/).map(text => [text.slice(16, text.indexOf('\0')), text] as const),
  );
  for (const file of files) {
    t.deepEqual(Buffer.from(printAsModinfo(file)).toString('latin1').split('\0'), theirs.get(file)?.split('\0'), file);
  }
});

test('exports and versions of a sample of modules are those modprobe shows', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const modules = ModuleTree.open(tree.dir);
  const sample = modules.moduleNames().filter((_, i) => i % 50 === 0);
  for (const name of sample) {
    const entry = modules.module(name);
    if (entry === undefined) continue;
    const file = path.join(tree.dir, entry.path);
    using module = ModuleFile.open(file, decompressors());
    t.is(showSymbols(module.exportedSymbols()), runKmod('modprobe', ['--show-exports', file]).stdout, file);
    t.is(showSymbols(module.modversions()), runKmod('modprobe', ['--show-modversions', file]).stdout, file);
  }
});

for (const bits of [32, 64] as const) {
  for (const endian of ['little', 'big'] as const) {
    test(`a module of ${bits} bits, ${endian}-endian, is read as modinfo and modprobe read it`, t => {
      if (!kmodIsHere(t)) return;
      const world = makeWorld(t, {
        modules: {
          'a.ko': {
            bits,
            endian,
            modinfo: [
              ['license', 'GPL'],
              ['parm', 'debug:how much'],
              ['parmtype', 'debug:int'],
              ['parmtype', 'bare:bool'],
            ],
            exports: [
              ['foo', 0x12345678],
              ['bar', 0xfedcba98],
            ],
            needs: ['printk', { weak: 'maybe' }],
            versions: [
              ['printk', 0xdeadbeef],
              ['.dotted', 7],
            ],
          },
        },
      });
      const file = `${world.tree}/a.ko`;
      t.is(printAsModinfo(file), runKmod('modinfo', ['-0', file]).stdout);
      using module = ModuleFile.open(file, decompressors());
      t.deepEqual(module.exportedSymbols(), [
        { name: 'foo', crc: 0x12345678 },
        { name: 'bar', crc: 0xfedcba98 },
      ]);
      t.is(runKmod('modprobe', ['--show-exports', file]).stdout, '0x12345678\tfoo\n0xfedcba98\tbar\n');
      t.deepEqual(module.neededSymbols(), [
        { name: 'printk', crc: 0xdeadbeef, isWeak: false },
        { name: 'maybe', crc: 0, isWeak: true },
        { name: 'dotted', crc: 7, isWeak: false },
      ]);
    });
  }
}
