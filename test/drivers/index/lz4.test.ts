import test from 'ava';
import * as fc from 'fast-check';
import { decodeLz4, isLz4 } from '../../../core/drivers/index/lz4.ts';
import { UsherdError } from '../../../core/errors.ts';

/** A frame of blocks that refer to each other, as apt writes them; each block as its packed bytes. */
function frame(...blocks: readonly { readonly bytes: Buffer; readonly isPlain?: boolean }[]): Buffer {
  const parts: Buffer[] = [Buffer.from('04224d184040c0', 'hex')];
  for (const { bytes, isPlain } of blocks) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE((bytes.length | (isPlain === true ? 0x8000_0000 : 0)) >>> 0);
    parts.push(head, bytes);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

/** Text without any reference. */
function literals(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 15) return Buffer.concat([Buffer.from([bytes.length << 4]), bytes]);
  const more: number[] = [];
  let rest = bytes.length - 15;
  for (; rest >= 255; rest -= 255) more.push(255);
  return Buffer.concat([Buffer.from([0xf0, ...more, rest]), bytes]);
}

/** Literals, then a reference so far back and so long, then literals to end with. */
function withReference(before: string, offset: number, length: number, after: string): Buffer {
  const token = (before.length << 4) | (length - 4);
  return Buffer.concat([
    Buffer.from([token]),
    Buffer.from(before),
    Buffer.from([offset & 255, offset >> 8]),
    literals(after),
  ]);
}

function decoded(bytes: Buffer): string {
  return Array.from(decodeLz4(bytes, 'a.lz4'), block => block.toString('latin1')).join('');
}

test('literals, references and plain blocks come out as they went in', t => {
  t.is(decoded(frame({ bytes: literals('hello') })), 'hello');
  t.is(decoded(frame({ bytes: withReference('abc', 3, 7, 'end') })), 'abcabcabcaend');
  t.is(decoded(frame({ bytes: Buffer.from('as it is'), isPlain: true })), 'as it is');
  t.is(decoded(frame()), '');
});

test('a reference reaches into the block before', t => {
  const blocks = [{ bytes: literals('0123456789') }, { bytes: withReference('', 10, 10, '!') }];
  t.is(decoded(frame(...blocks)), '01234567890123456789!');
});

test('a file that is cut off, wherever, is said to be, and what came before is given', t => {
  const whole = frame({ bytes: literals('0123456789') }, { bytes: literals('abcdefghij') });
  for (let length = 0; length < whole.length; length++)
    t.throws(
      () => decoded(whole.subarray(0, length)),
      { code: 'INDEX_FILE_DAMAGED', message: /a\.lz4\+0x/ },
      String(length),
    );
});

test('a reference to what is not there, and a block that is too large, are refused', t => {
  t.throws(() => decoded(frame({ bytes: withReference('ab', 3, 5, 'x') })), { code: 'INDEX_FILE_DAMAGED' });
  t.throws(() => decoded(frame({ bytes: withReference('ab', 0, 5, 'x') })), { code: 'INDEX_FILE_DAMAGED' });
  t.throws(() => decoded(frame({ bytes: Buffer.alloc(70_000), isPlain: true })), { code: 'INDEX_FILE_DAMAGED' });
});

test('any bytes are decoded or refused, and nothing else happens', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), blocks => {
        const bytes = frame(...blocks.map(each => ({ bytes: Buffer.from(each) })));
        try {
          decoded(bytes);
        } catch (error) {
          if (!(error instanceof UsherdError)) throw error;
        }
      }),
    ),
  );
});

test('any text survives being packed without references', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.string({ maxLength: 2000 }),
        text => decoded(frame({ bytes: literals(text) })) === Buffer.from(text).toString('latin1'),
      ),
    ),
  );
});

test('what is another format is not taken for lz4', t => {
  t.deepEqual(
    ['1f8b0800', '28b52ffd', '', '04224d'].map(hex => isLz4(Buffer.from(hex, 'hex'))),
    [false, false, false, false],
  );
});
