import type { ByteSource } from './byte-source.ts';
import { DER_INTEGER, DER_OCTETS, DER_OID, DER_SEQUENCE, DER_SET, insideDer, oidText, readDer } from './der.ts';

/** Who signed a module, as its last bytes claim. Nothing is verified here; the kernel does that when it loads the module. */
export interface ModuleSignature {
  readonly format: 'PGP' | 'X509' | 'PKCS#7';
  /** Common name of who issued the signer's certificate. */
  readonly signer: string;
  /** Serial number of that certificate, in hex pairs: `53:5A:0C`. */
  readonly keyId: string;
  /** Name of the digest: `sha256`; `unknown` where it is none we know. */
  readonly hash: string;
  /** The signature itself, without what stands around it. */
  readonly bytes: Buffer;
}

const MARK = Buffer.from('~Module signature appended~\n', 'latin1');
/** algo, hash, id_type, signer_len, key_id_len, 3 bytes of padding, u32 big-endian length of the signature. */
const INFO_BYTES = 12;

const FORMATS = ['PGP', 'X509', 'PKCS#7'] as const;
/** Source: include/uapi/linux/hash_info.h by way of kmod libkmod-signature.c. */
const HASHES = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224', 'sm3'] as const;
const HASH_OIDS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.4': 'md4',
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '1.3.36.3.2.1': 'rmd160',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '1.2.156.10197.1.401': 'sm3',
};
const COMMON_NAME = '2.5.4.3';

/**
 * The end of a module file → its signature, or undefined when it has none, or one that makes no sense:
 *
 * ```
 * …module… [signer | key id] signature | algo hash id_type signer_len key_id_len 0 0 0 be32 length | ~Module signature appended~\n
 * ```
 * Source: kernel scripts/sign-file.c, struct module_signature; kmod libkmod-signature.c.
 */
export function readSignature(source: ByteSource): ModuleSignature | undefined {
  const tailBytes = MARK.length + INFO_BYTES;
  if (source.size < tailBytes) return undefined;
  const tail = source.read(source.size - tailBytes, tailBytes);
  if (!tail.subarray(INFO_BYTES).equals(MARK)) return undefined;
  const [algo = 0, hash = 0, type = 0, signerLength = 0, keyIdLength = 0] = tail;
  const length = tail.readUInt32BE(8);
  const format = FORMATS[type];
  const before = source.size - tailBytes;
  if (format === undefined || length === 0 || length + signerLength + keyIdLength > before) return undefined;
  const bytes = source.read(before - length, length);
  if (format === 'PKCS#7') return readPkcs7(bytes) ?? { format, signer: '', keyId: '', hash: 'unknown', bytes };
  if (algo > 1) return undefined;
  const names = source.read(before - length - keyIdLength - signerLength, signerLength + keyIdLength);
  return {
    format,
    signer: names.toString('utf8', 0, signerLength),
    keyId: hexPairs(names.subarray(signerLength)),
    hash: HASHES[hash] ?? 'unknown',
    bytes,
  };
}

/**
 * ContentInfo { oid, [0] SignedData { version, digests, content, [0] certs?, [1] crls?, { SignerInfo… } } }, of which the first
 * SignerInfo { version, { issuer, serial }, { digest oid }, [0] attributes?, algorithm, octets } counts. Source: RFC 2315.
 */
function readPkcs7(der: Buffer): ModuleSignature | undefined {
  const content = insideDer(readDer(der)?.[0], DER_SEQUENCE);
  const signedData = insideDer(insideDer(content?.[1], 0xa0)?.[0], DER_SEQUENCE);
  const signers = signedData?.slice(3).find(({ tag }) => tag === DER_SET);
  const signer = insideDer(insideDer(signers, DER_SET)?.[0], DER_SEQUENCE);
  const bytes = signer?.find(({ tag }) => tag === DER_OCTETS)?.bytes;
  if (signer === undefined || bytes === undefined) return undefined;
  const issuerAndSerial = insideDer(signer[1], DER_SEQUENCE);
  const serial = issuerAndSerial?.[1];
  const digest = insideDer(signer[2], DER_SEQUENCE)?.[0];
  const digestOid = digest?.tag === DER_OID ? oidText(digest.bytes) : undefined;
  const subjectKey = signer[1]?.tag === 0x80 ? signer[1].bytes : undefined;
  return {
    format: 'PKCS#7',
    signer: commonName(issuerAndSerial?.[0]?.bytes) ?? '',
    keyId: hexPairs(serial?.tag === DER_INTEGER ? withoutLeadingZeroes(serial.bytes) : (subjectKey ?? Buffer.alloc(0))),
    hash: (digestOid === undefined ? undefined : HASH_OIDS[digestOid]) ?? 'unknown',
    bytes,
  };
}

/** Name { { { oid, text }… }… } → the text of its common name. */
function commonName(name: Buffer | undefined): string | undefined {
  const parts = name === undefined ? undefined : readDer(name);
  for (const part of parts ?? []) {
    for (const attribute of insideDer(part, DER_SET) ?? []) {
      const [oid, text] = insideDer(attribute, DER_SEQUENCE) ?? [];
      if (oid?.tag === DER_OID && oidText(oid.bytes) === COMMON_NAME) return text?.bytes.toString('utf8');
    }
  }
  return undefined;
}

/** DER puts a zero before a number whose first bit is set, to say that it is positive. */
function withoutLeadingZeroes(bytes: Buffer): Buffer {
  const first = bytes.findIndex(byte => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}

function hexPairs(bytes: Buffer): string {
  return Array.from(bytes, byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(':');
}
