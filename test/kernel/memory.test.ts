import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { mapFile, releaseMemory } from '../../core/kernel/memory.ts';

/** Opens a file of these bytes. */
function openFile(bytes: Uint8Array): number {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'usherd-map-')), 'file');
  writeFileSync(file, bytes);
  return openSync(file, 'r');
}

test('a mapped file has the bytes of the file, also when it is closed', t => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
  const fd = openFile(bytes);
  const mapped = mapFile(fd, bytes.length);
  closeSync(fd);
  t.deepEqual(new Uint8Array(mapped), bytes);
  const empty = openFile(new Uint8Array());
  t.is(mapFile(empty, 0).length, 0);
  closeSync(empty);
});

test('what cannot be mapped is an error with the kernel’s reason', t => {
  const fd = openSync(os.tmpdir(), 'r');
  t.throws(() => mapFile(fd, 4096), { message: 'a file of 4096 bytes cannot be mapped: ENODEV' });
  closeSync(fd);
  t.throws(() => mapFile(fd, -1), { instanceOf: TypeError });
});

test('released memory is no longer resident, and everything works as before', t => {
  const pages = mapFile(openFile(new Uint8Array(1024).fill(7)), 1024);
  const before = residentKb();
  releaseMemory();
  t.true(residentKb() < before, `${residentKb()} kB of ${before} kB`);
  t.is(pages[1023], 7);
  t.regex(readFileSync('/proc/self/status', 'latin1'), /^Name:/);
  releaseMemory();
});

/** Resident memory that belongs to a file, in kB: the test's own objects come and go. */
function residentKb(): number {
  return Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}
