import test from 'ava';
import * as fc from 'fast-check';
import { memorySource } from '../../../core/kmod/ko/byte-source.ts';
import { oidText, readDer } from '../../../core/kmod/ko/der.ts';
import { type ModuleSignature, readSignature } from '../../../core/kmod/ko/signature.ts';
import { appendSignature, writeKo } from '../../support/ko-writer.ts';

function der(tag: number, ...inside: Buffer[]): Buffer {
  const bytes = Buffer.concat(inside);
  const length = bytes.length < 0x80 ? [bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const NAME = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from('Kernel key')))));
const SIGNER = der(
  0x30,
  der(0x02, Buffer.from([1])),
  der(0x30, NAME, der(0x02, Buffer.from('00a1b2', 'hex'))),
  der(0x30, oid('608648016503040201')),
  der(0x30, oid('2a864886f70d010101')),
  der(0x04, Buffer.from('c0ffee', 'hex')),
);
const PKCS7 = der(
  0x30,
  oid('2a864886f70d010702'),
  der(
    0xa0,
    der(0x30, der(0x02, Buffer.from([1])), der(0x31), der(0x30), der(0xa0, Buffer.alloc(300)), der(0x31, SIGNER)),
  ),
);

function read(bytes: Buffer): ModuleSignature | undefined {
  return readSignature(memorySource(bytes, 'm.ko'));
}

test('a PKCS#7 signature names its signer, key and digest', t => {
  t.deepEqual(read(appendSignature(writeKo({}), PKCS7)), {
    format: 'PKCS#7',
    signer: 'Kernel key',
    keyId: 'A1:B2',
    hash: 'sha256',
    bytes: Buffer.from('c0ffee', 'hex'),
  });
});

test('a signature that cannot be taken apart is still known to be one', t => {
  const bytes = Buffer.from('not der');
  t.deepEqual(read(appendSignature(writeKo({}), bytes)), {
    format: 'PKCS#7',
    signer: '',
    keyId: '',
    hash: 'unknown',
    bytes,
  });
});

test('a module without the mark has no signature, nor has one whose lengths point before its beginning', t => {
  t.is(read(writeKo({})), undefined);
  const short = appendSignature(Buffer.alloc(0), PKCS7);
  short.writeUInt32BE(PKCS7.length + 1, short.length - 32);
  t.is(read(short), undefined);
  t.is(read(appendSignature(writeKo({}), PKCS7, 9)), undefined);
});

test('an object identifier is read, and one that is cut short is not', t => {
  t.is(oidText(Buffer.from('608648016503040201', 'hex')), '2.16.840.1.101.3.4.2.1');
  t.is(oidText(Buffer.from('6086', 'hex')), undefined);
  t.is(oidText(Buffer.alloc(0)), undefined);
});

test('lengths that are indefinite, over-long or point outside are refused', t => {
  for (const hex of ['3080', '308105', '30820001', '3005aa', '30', '1f0100', '3085ffffffffff']) {
    t.is(readDer(Buffer.from(hex, 'hex')), undefined, hex);
  }
});

test('changed bytes in a signature make it unknown or different, never an error', t => {
  const whole = appendSignature(writeKo({}), PKCS7);
  const start = whole.length - PKCS7.length - 40;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - start - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      changes => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[start + at] = byte;
        read(bytes);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
