import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import { IndexReader } from '../../../core/kmod/index/index-reader.ts';
import { writeIndex } from '../../../core/kmod/index/index-writer.ts';
import { FileInPieces, PIECE_BYTES } from '../../../core/kmod/tree/file-in-pieces.ts';

function fileOf(t: ExecutionContext, content: Buffer): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-pieces-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'modules.alias.bin');
  writeFileSync(file, content);
  return file;
}

/** Bytes none of which is the same as the one a piece before or after it, nor zero. */
const CONTENT = Buffer.from(Array.from({ length: 3 * PIECE_BYTES + 5 }, (_, at) => 1 + (at % 251)));

/** As many pairs as take several pieces, some with a text that lies across two. */
const PAIRS = Array.from({ length: 3000 }, (_, priority) => ({
  key: `pci:v${String(priority).padStart(8, '0')}d*`,
  value: `module_${priority}`,
  priority,
}));

test('what is asked for is there, and what is not asked for is not read', t => {
  const pieces = new FileInPieces(fileOf(t, CONTENT));
  t.is(pieces.bytes.length, CONTENT.length);
  t.is(pieces.need(PIECE_BYTES + 1, PIECE_BYTES + 2), 2 * PIECE_BYTES);
  const expected = Buffer.alloc(CONTENT.length);
  CONTENT.copy(expected, PIECE_BYTES, PIECE_BYTES, 2 * PIECE_BYTES);
  t.true(pieces.bytes.equals(expected));
  pieces.close();
});

test('any stretch is as it is in the file, also past its end and after the file was closed', t => {
  const file = fileOf(t, CONTENT);
  const stretch = fc.tuple(fc.nat(CONTENT.length + PIECE_BYTES), fc.integer({ min: 1, max: 2 * PIECE_BYTES }));
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 5 }), stretches => {
      const pieces = new FileInPieces(file);
      for (const [from, length] of stretches) {
        t.true(pieces.need(from, from + length) >= from + length);
        pieces.close();
        t.true(pieces.bytes.subarray(from, from + length).equals(CONTENT.subarray(from, from + length)));
      }
    }),
    { numRuns: 50 },
  );
});

test('a file that has become shorter, or another, says so and is not read on', t => {
  const refusal = (change: (file: string) => void): string | undefined => {
    const file = fileOf(t, CONTENT);
    const pieces = new FileInPieces(file);
    pieces.need(0, 1);
    pieces.close();
    change(file);
    const error = t.throws(() => pieces.need(PIECE_BYTES, PIECE_BYTES + 1), { instanceOf: UsherdError });
    pieces.close();
    t.is(error?.code, 'INDEX_DAMAGED');
    return error?.message.replace(file, 'FILE');
  };
  const what = `FILE: cannot be read at byte ${PIECE_BYTES} of ${CONTENT.length}: `;
  t.is(
    refusal(file => truncateSync(file, 10)),
    `${what}another file has taken its place`,
  );
  t.is(
    refusal(file => {
      writeFileSync(`${file}.new`, CONTENT);
      renameSync(`${file}.new`, file);
    }),
    `${what}another file has taken its place`,
  );
  t.true(refusal(file => rmSync(file))?.startsWith(`${what}ENOENT`));

  const file = fileOf(t, CONTENT);
  const open = new FileInPieces(file);
  truncateSync(file, PIECE_BYTES + 7);
  const error = t.throws(() => open.need(PIECE_BYTES, PIECE_BYTES + 1), { instanceOf: UsherdError });
  open.close();
  t.is(error?.message.replace(file, 'FILE'), `${what}it ends at byte ${PIECE_BYTES + 7} now`);
});

test('an index that is read in pieces answers as one that is read whole', t => {
  const bytes = writeIndex(PAIRS);
  t.true(bytes.length > 4 * PIECE_BYTES);
  const file = fileOf(t, bytes);
  const whole = new IndexReader(bytes, file);
  for (const { key } of PAIRS) {
    const index = new FileInPieces(file);
    const reader = new IndexReader(index, file);
    t.is(reader.search(key), whole.search(key));
    t.deepEqual(reader.searchWild(key.replace('*', '1')), whole.searchWild(key.replace('*', '1')));
    index.close();
  }
  const index = new FileInPieces(file);
  t.deepEqual(new IndexReader(index, file).entries(), whole.entries());
  index.close();
});

test('an index cut off anywhere answers or is refused in pieces as it is whole', t => {
  const bytes = writeIndex(PAIRS);
  const outcome = (source: Buffer | FileInPieces): unknown => {
    try {
      const reader = new IndexReader(source, 'cut.bin');
      return [reader.search('pci:v00001234d*'), reader.searchWild('pci:v00001234d5'), reader.entries().length];
    } catch (error) {
      t.true(error instanceof UsherdError, String(error));
      return (error as UsherdError).message;
    }
  };
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), length => {
      const cut = bytes.subarray(0, length);
      const index = new FileInPieces(fileOf(t, cut));
      t.deepEqual(outcome(index), outcome(cut));
      index.close();
    }),
    { numRuns: 60 },
  );
});
