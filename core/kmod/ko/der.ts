/** One value of DER: a tag byte and the bytes inside. */
export interface DerValue {
  readonly tag: number;
  readonly bytes: Buffer;
}

export const DER_INTEGER = 0x02;
export const DER_OCTETS = 0x04;
export const DER_OID = 0x06;
export const DER_SEQUENCE = 0x30;
export const DER_SET = 0x31;

/** Most values taken from one sequence; a signature's certificates come to some dozens. */
const VALUES_MAX = 1024;

/**
 * The values that stand one after another, or undefined when a length points outside, is not in its shortest form, or there are
 * too many. Tags have one byte. Source: X.690.
 */
export function readDer(bytes: Buffer): DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at];
    const first = bytes[at + 1];
    if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f || values.length === VALUES_MAX)
      return undefined;
    at += 2;
    let length = first;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0 || count > 4 || at + count > bytes.length) return undefined;
      length = bytes.readUIntBE(at, count);
      if (length < 0x80) return undefined;
      at += count;
    }
    if (length > bytes.length - at) return undefined;
    values.push({ tag, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return values;
}

/** The values inside a sequence, set or tagged value; undefined when it has another tag. */
export function insideDer(value: DerValue | undefined, tag: number): DerValue[] | undefined {
  return value?.tag === tag ? readDer(value.bytes) : undefined;
}

/** An object identifier's bytes → `2.16.840.1.101.3.4.2.1`. Undefined when it is cut short. */
export function oidText(bytes: Buffer): string | undefined {
  const arcs: number[] = [];
  let arc = 0;
  let isComplete = true;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) return undefined;
    isComplete = byte < 0x80;
    if (!isComplete) continue;
    if (arcs.length === 0) {
      const top = Math.min(2, Math.floor(arc / 40));
      arcs.push(top, arc - top * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return isComplete && arcs.length > 0 ? arcs.join('.') : undefined;
}
