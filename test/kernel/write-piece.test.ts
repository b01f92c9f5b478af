import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { native } from '../../core/kernel/native.ts';
import { PIECE_HEADER_BYTES, writePiece } from '../../core/kernel/write-piece.ts';

function scratchFile(t: ExecutionContext): { readonly file: string; readonly fd: number } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-piece-'));
  const file = path.join(folder, 'pieces');
  const fd = openSync(file, 'w+');
  t.teardown(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return { file, fd };
}

/** A piece as the format says it is, made without the addon. */
function piece(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(PIECE_HEADER_BYTES);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([header, payload]);
}

test('a piece is its length, its CRC-32 as zlib has it, and its bytes, wherever it is put', t => {
  const { file, fd } = scratchFile(t);
  const payloads = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 });
  fc.assert(
    fc.property(payloads, given => {
      let at = 0;
      for (const payload of given) {
        const written = writePiece(fd, at, payload);
        t.is(written, PIECE_HEADER_BYTES + payload.length);
        at += Number(written);
      }
      t.deepEqual(readFileSync(file).subarray(0, at), Buffer.concat(given.map(piece)));
    }),
    { numRuns: 100 },
  );
});

test('what was there is written over, and the file gets no shorter by it', t => {
  const { file, fd } = scratchFile(t);
  const [long, short] = [new Uint8Array(500).fill(1), new Uint8Array(20).fill(2)];
  writePiece(fd, 0, long);
  writePiece(fd, 0, short);
  t.deepEqual(readFileSync(file), Buffer.concat([piece(short), piece(long).subarray(28)]));
});

test('a view into other bytes is written from where it begins', t => {
  const { file, fd } = scratchFile(t);
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  writePiece(fd, 0, bytes.subarray(40, 60));
  t.deepEqual(readFileSync(file), piece(bytes.slice(40, 60)));
});

test('a piece that the kernel does not take is refused with its reason', t => {
  const { file, fd } = scratchFile(t);
  const payload = new Uint8Array(10);
  const readOnly = openSync(file, 'r');
  t.is(writePiece(readOnly, 0, payload), 'EBADF');
  closeSync(readOnly);
  const full = openSync('/dev/full', 'w');
  t.is(writePiece(full, 0, payload), 'ENOSPC');
  closeSync(full);
  t.is(statSync(file).size, 0);
  for (const wrong of [
    [-1, 0, payload],
    [fd, -1, payload],
    [fd, 0.5, payload],
    [fd, 0, 'text'],
    [fd, 0, new Uint16Array(2)],
    [fd, 0],
  ])
    t.throws(() => (native().writePiece as (...args: unknown[]) => number)(...wrong), { instanceOf: TypeError });
  t.is(statSync(file).size, 0);
});

test('a write that was cut short counts as a full disk', t => {
  const { file } = scratchFile(t);
  const script = `
    import { openSync } from 'node:fs';
    import { writePiece } from '${path.resolve('core/kernel/write-piece.ts')}';
    const fd = openSync('${file}', 'r+');
    console.log(writePiece(fd, 0, new Uint8Array(100)), writePiece(fd, 108, new Uint8Array(5000)), writePiece(fd, 512, new Uint8Array(1)));
  `;
  // No file may grow beyond a block of 512 bytes.
  const limited = ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8' });
  t.is(stdout, '108 ENOSPC EFBIG\n', stderr);
  t.is(statSync(file).size, 512, 'a part stands there');
});
