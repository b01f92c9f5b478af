import { createHmac } from 'node:crypto';
import { isIdentityKey } from './identity-keys.ts';

/** Digits of the HMAC-SHA-256 that are kept: 96 bits, so that two serial numbers of one machine never meet. */
const HASH_DIGITS = 24;
/** A shorter value would be found in texts it has nothing to do with. */
const REPLACED_MIN_CHARS = 6;
/** Serial numbers seen lately, to take them out of reasons; the oldest is forgotten first. */
const RECENT_MAX_VALUES = 1024;
/** Hashes at hand, since a device says the same of itself in each event; when full it is emptied. */
const KNOWN_MAX_HASHES = 8192;

/** Six or eight bytes with colons or dashes, whatever stands around them, but no part of a longer row of bytes. */
const ADDRESS =
  /(?<![0-9A-Fa-f]|[0-9A-Fa-f][:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}(?:(?:[0-9A-Fa-f]{2}\1){2})?[0-9A-Fa-f]{2}(?![:-]?[0-9A-Fa-f])/g;
/** A network interface that udev named by its address. Source: systemd.net-naming-scheme(7), ID_NET_NAME_MAC. */
const NAMED_BY_ADDRESS = /(?<![0-9A-Za-z])((?:en|ib|sl|wl|ww)x)([0-9a-f]{12})(?![0-9A-Za-z])/g;
/** The last part of a link below by-id is made of serial numbers, world wide names or addresses. */
const BY_ID_LINK = /(?<=\/by-id\/)[^\s/]+/g;

/** Parts of an event that say where it belongs: a device must not be able to change them by the serial number it claims. */
const PLACES: ReadonlySet<string> = new Set([
  'ACTION',
  'DEVPATH',
  'DEVPATH_OLD',
  'SUBSYSTEM',
  'MODALIAS',
  'DRIVER',
  'SEQNUM',
  'SYNTH_UUID',
]);

/**
 * Puts keyed hashes, `hmac:` and 24 hexadecimal digits of an HMAC-SHA-256, in the place of serial numbers and hardware addresses. The same
 * number has the same hash, so that it can be matched by who has the key; an address has the same hash however it is written.
 */
export class SerialHider {
  readonly #key: Buffer;
  readonly #known = new Map<string, string>();
  readonly #recent = new Set<string>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The value of a key of a uevent, or of an attribute. */
  value(key: string, value: string): string {
    if (value === '') return value;
    if (!isIdentityKey(key)) return this.text(value);
    const asAddress = this.text(value);
    const isAddress = asAddress !== value && /^(?:[a-z]{2}x)?hmac:[0-9a-f]+$/.test(asAddress);
    return isAddress ? asAddress : this.#hash(`serial ${value}`);
  }

  /** A text with hardware addresses and links by id in it, as a devpath or DEVLINKS. */
  text(text: string): string {
    if (text.length < 12) return text;
    let hidden = text;
    if (hidden.includes('/by-id/')) hidden = hidden.replaceAll(BY_ID_LINK, name => this.#hash(`link ${name}`));
    if (hidden.includes(':') || hidden.includes('-'))
      hidden = hidden.replaceAll(ADDRESS, address =>
        this.#hash(`address ${address.replaceAll(/[:-]/g, '').toLowerCase()}`),
      );
    if (hidden.includes('x'))
      hidden = hidden.replaceAll(
        NAMED_BY_ADDRESS,
        (_, kind: string, address: string) => kind + this.#hash(`address ${address}`),
      );
    return hidden;
  }

  /** A uevent's environment. A serial number is also taken out of the other values it stands in. */
  env(env: Readonly<Record<string, string>>): Record<string, string> {
    const hidden = Object.create(null) as Record<string, string>;
    const replaced: [plain: string, hash: string][] = [];
    for (const [key, value] of Object.entries(env)) {
      hidden[key] = this.value(key, value);
      if (!isIdentityKey(key) || value.length < REPLACED_MIN_CHARS) continue;
      replaced.push([value, this.#hash(`serial ${value}`)]);
      this.#remember(value);
    }
    if (replaced.length === 0) return hidden;
    // ID_SERIAL has ID_SERIAL_SHORT in it.
    replaced.sort(([a], [b]) => b.length - a.length);
    for (const [key, value] of Object.entries(hidden)) {
      if (PLACES.has(key) || isIdentityKey(key)) continue;
      for (const [plain, hash] of replaced)
        if (value.includes(plain)) hidden[key] = (hidden[key] ?? '').replaceAll(plain, hash);
    }
    return hidden;
  }

  /** What somebody said of a device, a reason or an error: the serial numbers that were seen lately are taken out of it. */
  prose(text: string): string {
    let hidden = text;
    for (const plain of this.#recent)
      if (hidden.includes(plain)) hidden = hidden.replaceAll(plain, this.#hash(`serial ${plain}`));
    return this.text(hidden);
  }

  #remember(value: string): void {
    // A number has digits; a word without any may be one of a sentence.
    if (!/\d/.test(value)) return;
    this.#recent.delete(value);
    this.#recent.add(value);
    const oldest = this.#recent.values().next();
    if (this.#recent.size > RECENT_MAX_VALUES && oldest.done !== true) this.#recent.delete(oldest.value);
  }

  #hash(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const hash = `hmac:${createHmac('sha256', this.#key).update(text).digest('hex').slice(0, HASH_DIGITS)}`;
    if (this.#known.size >= KNOWN_MAX_HASHES) this.#known.clear();
    this.#known.set(text, hash);
    return hash;
  }
}
