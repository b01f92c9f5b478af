import { readFileSync } from 'node:fs';
import { UsherdError } from '../../../../errors.ts';
import { globMatches } from '../../../../kmod/lookup/glob.ts';
import type { Hwdb } from './hwdb.ts';

const SIGNATURE = 'KSLPHHRH';
const HEADER_BYTES = 80;
/** Deepest a look-up goes below a wildcard: longer patterns than lines of hwdb.d can have. */
const DEPTH_MAX = 2048;
/** Texts whose properties are kept: a machine asks for the same devices again and again. Beyond it the oldest goes. */
const LOOKUPS_MAX = 1024;

/**
 * hwdb.bin, as systemd-hwdb writes it: a trie of the patterns' characters, little-endian.
 * Header, 80 bytes: "KSLPHHRH" | u64 tool version | u64 file size | u64 header size | u64 node size | u64 child size | u64 value size |
 * u64 root node's offset | u64 bytes of nodes | u64 bytes of strings. The sizes grow with versions: they are strides, not to be assumed.
 * Node: u64 offset of its prefix | u8 count of children | 7 unused | u64 count of values; then the children, then the values.
 * Child: u8 character | 7 unused | u64 node. Value: u64 key | u64 value | (version 2) u64 file name | u32 line | u16 priority.
 * Source: systemd, hwdb-internal.h; hwdb(7).
 */
export class HwdbBin implements Hwdb {
  readonly #bytes: Buffer;
  readonly #file: string;
  readonly #nodeSize: number;
  readonly #childSize: number;
  readonly #valueSize: number;
  readonly #root: number;
  readonly #known = new Map<string, ReadonlyMap<string, string>>();

  /** @throws {UsherdError} HWDB_DAMAGED */
  constructor(bytes: Buffer, file: string) {
    this.#bytes = bytes;
    this.#file = file;
    if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== SIGNATURE) {
      throw this.#damaged(`it begins with ${JSON.stringify(bytes.toString('latin1', 0, 8))}, wanted ${SIGNATURE}`);
    }
    this.#nodeSize = this.#number(32);
    this.#childSize = this.#number(40);
    this.#valueSize = this.#number(48);
    this.#root = this.#number(56);
    const wanted = this.#number(16);
    if (wanted !== bytes.length) throw this.#damaged(`it has ${bytes.length} bytes, its header says ${wanted}`);
    if (this.#nodeSize < 24 || this.#childSize < 16 || this.#valueSize < 16) {
      throw this.#damaged('its header has sizes too small for what they are sizes of');
    }
  }

  /** @throws {UsherdError} HWDB_DAMAGED, FILE_UNREADABLE */
  static open(file: string): HwdbBin {
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
    }
    return new HwdbBin(bytes, file);
  }

  /** @throws {UsherdError} HWDB_DAMAGED */
  lookup(modalias: string): ReadonlyMap<string, string> {
    const known = this.#known.get(modalias);
    if (known !== undefined) return known;
    // The file's texts are bytes; so is what is looked up.
    const found = new Found();
    this.#search(Buffer.from(modalias).toString('latin1'), found);
    const properties = found.properties();
    const [oldest] = this.#known.keys();
    if (this.#known.size >= LOOKUPS_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(modalias, properties);
    return properties;
  }

  #search(text: string, found: Found): void {
    let node = this.#root;
    for (let at = 0; ; at++) {
      const prefix = this.#prefix(node);
      for (let n = 0; n < prefix.length; n++) {
        if (isWild(prefix.charCodeAt(n))) {
          this.#matchBelow(node, n, '', text.slice(at + n), found, 0);
          return;
        }
        if (prefix.charCodeAt(n) !== text.charCodeAt(at + n)) return;
      }
      at += prefix.length;
      for (const wild of WILD) {
        const child = this.#child(node, wild);
        if (child !== undefined) this.#matchBelow(child, 0, String.fromCharCode(wild), text.slice(at), found, 0);
      }
      if (at >= text.length) {
        this.#take(node, found);
        return;
      }
      const next = this.#child(node, text.charCodeAt(at));
      if (next === undefined) return;
      node = next;
    }
  }

  /** All patterns from here on, put together character by character, against the rest of the text. */
  #matchBelow(node: number, from: number, before: string, text: string, found: Found, depth: number): void {
    if (depth > DEPTH_MAX) throw this.#damaged(`its nodes are nested deeper than ${DEPTH_MAX}`);
    const pattern = before + this.#prefix(node).slice(from);
    if (cannotMatch(pattern, text)) return;
    const count = this.#bytes[node + 8] ?? 0;
    for (let n = 0; n < count; n++) {
      const entry = node + this.#nodeSize + n * this.#childSize;
      const sign = String.fromCharCode(this.#byte(entry));
      this.#matchBelow(this.#number(entry + 8), 0, pattern + sign, text, found, depth + 1);
    }
    if (this.#number(node + 16) > 0 && globMatches(pattern, text)) this.#take(node, found);
  }

  #take(node: number, found: Found): void {
    const first = node + this.#nodeSize + this.#byte(node + 8) * this.#childSize;
    const count = this.#number(node + 16);
    if (count > this.#bytes.length) throw this.#damaged(`a node has ${count} values`);
    for (let n = 0; n < count; n++) {
      const entry = first + n * this.#valueSize;
      const key = this.#string(this.#number(entry));
      // Keys that do not begin with a blank are for other readers.
      if (!key.startsWith(' ')) continue;
      const isRanked = this.#valueSize >= 32;
      const priority = isRanked ? this.#bytes.readUInt16LE(entry + 28) : 0;
      const line = isRanked ? this.#bytes.readUInt32LE(entry + 24) : 0;
      found.add(key.slice(1), this.#string(this.#number(entry + 8)), priority, line);
    }
  }

  #prefix(node: number): string {
    const offset = this.#number(node);
    return offset === 0 ? '' : this.#string(offset, 'latin1');
  }

  #child(node: number, sign: number): number | undefined {
    let low = 0;
    let high = this.#byte(node + 8) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = node + this.#nodeSize + middle * this.#childSize;
      const has = this.#byte(entry);
      if (has === sign) return this.#number(entry + 8);
      if (has < sign) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #byte(offset: number): number {
    const byte = this.#bytes[offset];
    if (byte === undefined) throw this.#damaged(`it points to byte ${offset}, of ${this.#bytes.length}`);
    return byte;
  }

  /** A u64; nothing in a file of at most 4 GiB needs the upper half. */
  #number(offset: number): number {
    if (offset + 8 > this.#bytes.length) throw this.#damaged(`it points to byte ${offset}, of ${this.#bytes.length}`);
    return this.#bytes.readUInt32LE(offset) + this.#bytes.readUInt32LE(offset + 4) * 0x1_0000_0000;
  }

  #string(offset: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    const end = this.#bytes.indexOf(0, offset);
    if (end < 0 || offset >= this.#bytes.length) throw this.#damaged(`a text at byte ${offset} does not end`);
    return this.#bytes.toString(encoding, offset, end);
  }

  #damaged(what: string): UsherdError {
    return new UsherdError('HWDB_DAMAGED', `${this.#file}: ${what}`, { file: this.#file });
  }
}

const WILD: readonly number[] = [0x2a, 0x3f, 0x5b];

function isWild(code: number): boolean {
  return WILD.includes(code);
}

/** Whether a pattern's plain beginning already differs, so that nothing below it can match. A `*` at the front says nothing. */
function cannotMatch(pattern: string, text: string): boolean {
  for (let n = 0; n < pattern.length; n++) {
    const code = pattern.charCodeAt(n);
    if (code === 0x2a || code === 0x5b || code === 0x5c) break;
    if (code !== 0x3f && code !== text.charCodeAt(n)) return true;
  }
  return false;
}

/** Properties found so far; of two with one key that of the file, then the line, that ranks higher counts. */
class Found {
  readonly #entries = new Map<string, { value: string; priority: number; line: number }>();

  add(key: string, value: string, priority: number, line: number): void {
    const before = this.#entries.get(key);
    const isBeaten =
      before !== undefined && (priority < before.priority || (priority === before.priority && line < before.line));
    if (!isBeaten) this.#entries.set(key, { value, priority, line });
  }

  properties(): ReadonlyMap<string, string> {
    return new Map([...this.#entries].map(([key, { value }]) => [key, value]));
  }
}
