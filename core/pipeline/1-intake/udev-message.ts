import os from 'node:os';
import { latin1Of, malformed, parseBody, type Arrival, type ParsedMessage } from './uevent-body.ts';

/*
 * What udevd multicasts to group 2 after its rules. Source: systemd, sd-device/device-monitor.c, monitor_netlink_header.
 *
 *   0  8  "libudev" NUL        20  4  bytes of the properties
 *   8  4  magic (big-endian)   24  4  hash of the subsystem (big-endian)
 *  12  4  header size, 40      28  4  hash of the devtype (big-endian), 0 without one
 *  16  4  where the            32  8  bloom filter of the tags (big-endian)
 *         properties begin     40  …  `KEY=VALUE` NUL …
 *
 * Sizes and offsets are in the machine's own byte order.
 */
const PREFIX = 'libudev\0';
const MAGIC = 0xfeed_cafe;
const HEADER_BYTES = 40;
/** The least that properties have; libudev refuses fewer. */
const PROPERTIES_MIN_BYTES = 32;
/** No limit is known to udevd; this is what fits our buffer when every variable is three bytes long. */
const VARIABLES_MAX = 65_536;
const isLittleEndian = os.endianness() === 'LE';

/** A datagram of udevd's group, at `start` to `end` of `bytes` → the uevent in it, with the properties its rules added. */
export function parseUdevMessage(bytes: Buffer, start: number, end: number, arrival: Arrival): ParsedMessage {
  const length = end - start;
  if (length < HEADER_BYTES) return malformed(`the message has ${length} bytes, its header alone has 40`, length);
  if (bytes.latin1Slice(start, start + 8) !== PREFIX) return malformed('the message does not begin with "libudev"', 0);
  const magic = bytes.readUInt32BE(start + 8);
  if (magic !== MAGIC) return malformed(`the magic number is 0x${magic.toString(16)}, not 0xfeedcafe`, 8);
  const from = readHostUInt32(bytes, start + 16);
  const size = readHostUInt32(bytes, start + 20);
  if (from < HEADER_BYTES || from > length) return malformed(`properties begin at ${from}, outside the message`, 16);
  if (size < PROPERTIES_MIN_BYTES || from + size > length) {
    return malformed(`properties of ${size} bytes at ${from} do not fit a message of ${length} bytes`, 20);
  }
  const text = latin1Of(bytes, start + from, start + from + size);
  const parsed = parseBody(bytes, { text, start: start + from, bodyStart: 0, variablesMax: VARIABLES_MAX }, arrival);
  return parsed.kind === 'malformed' ? malformed(parsed.reason, from + parsed.offsetBytes) : parsed;
}

/** Properties, in order → a datagram as udevd sends it. SUBSYSTEM, DEVTYPE and TAGS (`:a:b:`) also make the filter fields. */
export function encodeUdevMessage(properties: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\0`)
      .join(''),
  );
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(PREFIX, 0, 'latin1');
  header.writeUInt32BE(MAGIC, 8);
  writeHostUInt32(header, HEADER_BYTES, 12);
  writeHostUInt32(header, HEADER_BYTES, 16);
  writeHostUInt32(header, body.length, 20);
  header.writeUInt32BE(murmurHash2(properties['SUBSYSTEM'] ?? ''), 24);
  const devtype = properties['DEVTYPE'];
  header.writeUInt32BE(devtype === undefined ? 0 : murmurHash2(devtype), 28);
  const tags = (properties['TAGS'] ?? '').split(':').filter(tag => tag !== '');
  header.writeBigUInt64BE(
    tags.reduce((bits, tag) => bits | tagBloom(tag), 0n),
    32,
  );
  return Buffer.concat([header, body]);
}

/** A tag → its four bits of the 64-bit filter. */
export function tagBloom(tag: string): bigint {
  const hash = murmurHash2(tag);
  return [0, 6, 12, 18].reduce((bits, shift) => bits | (1n << BigInt((hash >>> shift) & 63)), 0n);
}

/** Text → MurmurHash2 with seed 0, as an unsigned 32-bit number. Words are read in the machine's order, as udevd does. */
export function murmurHash2(text: string): number {
  const MULTIPLIER = 0x5bd1_e995;
  const bytes = Buffer.from(text);
  let hash = bytes.length;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    let word = Math.imul(readHostUInt32(bytes, at), MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  if (at < bytes.length) {
    for (let i = bytes.length - 1; i >= at; i -= 1) hash ^= (bytes[i] ?? 0) << ((i - at) * 8);
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function readHostUInt32(bytes: Buffer, at: number): number {
  return isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

function writeHostUInt32(bytes: Buffer, value: number, at: number): void {
  if (isLittleEndian) bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
}
