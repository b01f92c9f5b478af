import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writeIndex } from '../../../core/kmod/index/index-writer.ts';
import { aliasCacheFile, readAliasCache, writeAliasCache } from '../../../core/kmod/lookup/alias-cache.ts';
import { AliasMatcher } from '../../../core/kmod/lookup/alias-matcher.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';

const ENTRIES = [
  { key: 'pci:v1d[0-9]*', value: 'igb', priority: 1 },
  { key: 'usb:v1p2*', value: 'uas', priority: 0 },
];

function folder(t: ExecutionContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-cache-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a compiled matcher comes back from its cache file as it was', t => {
  const file = path.join(folder(t), 'a.cache');
  const matcher = AliasMatcher.build(ENTRIES, {});
  t.true(writeAliasCache(file, 'key', matcher.compiled));
  const read = readAliasCache(file, 'key');
  t.truthy(read);
  if (read) t.deepEqual(new AliasMatcher(read, {}).match('pci:v1d5x'), matcher.match('pci:v1d5x'));
});

test('a cache for another state of the index, a damaged one and a cut one are not used', t => {
  const file = path.join(folder(t), 'a.cache');
  writeAliasCache(file, 'key', AliasMatcher.build(ENTRIES, {}).compiled);
  t.is(readAliasCache(file, 'other'), undefined);
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x41;
    writeFileSync(file, damaged);
    t.is(readAliasCache(file, 'key'), undefined, `byte ${at}`);
    writeFileSync(file, bytes.subarray(0, at));
    t.is(readAliasCache(file, 'key'), undefined, `cut at ${at}`);
  }
  writeFileSync(file, bytes);
  t.truthy(readAliasCache(file, 'key'));
});

test('a cache that others may write is neither believed nor written', t => {
  const dir = path.join(folder(t), 'state');
  mkdirSync(dir);
  const file = path.join(dir, 'a.cache');
  const { compiled } = AliasMatcher.build(ENTRIES, {});
  writeAliasCache(file, 'key', compiled);
  chmodSync(file, 0o666);
  t.is(readAliasCache(file, 'key'), undefined);
  chmodSync(file, 0o644);
  t.truthy(readAliasCache(file, 'key'));
  chmodSync(dir, 0o777);
  t.is(readAliasCache(file, 'key'), undefined);
  t.false(writeAliasCache(file, 'key', compiled));
});

test('a tree makes its cache once, uses it, and makes another when the index has changed', t => {
  const dir = folder(t);
  const index = path.join(dir, 'modules.alias.bin');
  const caches = path.join(dir, 'caches');
  writeFileSync(index, writeIndex(ENTRIES));
  const modules = (): string[] => {
    const aliases = ModuleTree.open(dir, { caches: { dir: caches } }).aliasIndex();
    aliases.prepare();
    return aliases.match('usb:v1p2x').map(({ module }) => module as string);
  };
  /** Whether a start makes the file anew; the old one is kept, so that its inode is not given out again. */
  const isMade = (): boolean => {
    const file = aliasCacheFile(caches, index);
    rmSync(`${file}.seen`, { force: true });
    const made = statSync(file).ino;
    linkSync(file, `${file}.seen`);
    modules();
    return statSync(file).ino !== made;
  };
  t.deepEqual(modules(), ['uas']);
  t.false(isMade());
  const other = writeIndex(ENTRIES.map(entry => ({ ...entry, value: entry.value === 'uas' ? 'rtl' : 'igb' })));
  t.is(other.length, statSync(index).size);
  writeFileSync(index, other);
  t.deepEqual(modules(), ['rtl']);
  // The dates of an image: whole seconds, the same ones for every state of the file.
  utimesSync(index, 1, 1);
  t.true(isMade());
  rmSync(index);
  writeFileSync(index, other);
  utimesSync(index, 2, 2);
  t.false(isMade());
  writeFileSync(index, writeIndex(ENTRIES));
  utimesSync(index, 2, 2);
  t.true(isMade());
  t.deepEqual(modules(), ['uas']);
});
