import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';

/** An Ed25519 signature (RFC 8032) and the key it can be checked with (SubjectPublicKeyInfo), in base64. */
export interface Signature {
  readonly signature: string;
  readonly publicKey: string;
}

/**
 * Signs a text with the private key in a PEM file, as `openssl genpkey -algorithm ed25519` makes it.
 * @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE
 */
export function signText(text: string, keyFile: string): Signature {
  const key = readKey(keyFile, createPrivateKey);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return { signature: sign(null, Buffer.from(text), key).toString('base64'), publicKey };
}

/**
 * Whether a signature is of this text by the holder of the public key in a PEM file.
 * @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE
 */
export function isSignedBy(text: string, signature: string, publicKeyFile: string): boolean {
  const key = readKey(publicKeyFile, createPublicKey);
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}

function readKey(file: string, parse: (pem: Buffer) => KeyObject): KeyObject {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  try {
    const key = parse(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
    throw new Error(`it is a key of type ${key.asymmetricKeyType ?? 'unknown'}`);
  } catch (error) {
    const message = `${file}: ${(error as Error).message}; wanted an Ed25519 key in PEM`;
    throw new UsherdError('KEY_UNUSABLE', message, { file }, error);
  }
}
