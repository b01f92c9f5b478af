const FILE = 0o100_000;
const FOLDER = 0o040_000;
const CHARACTER_DEVICE = 0o020_000;
const ALIGN_BYTES = 4;

/**
 * Writes an initramfs: a cpio archive in "newc" form, a header of 13 hexadecimal numbers, the name, the bytes, each aligned to four.
 * Source: Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export class CpioWriter {
  readonly #parts: Buffer[] = [];
  readonly #folders = new Set<string>();
  #inode = 0;

  folder(name: string): void {
    const parts = name.split('/');
    for (let count = 1; count <= parts.length; count += 1) {
      const folder = parts.slice(0, count).join('/');
      if (folder === '' || this.#folders.has(folder)) continue;
      this.#folders.add(folder);
      this.#entry(folder, FOLDER | 0o755, Buffer.alloc(0));
    }
  }

  file(name: string, bytes: Uint8Array | string, mode = 0o755): void {
    this.folder(name.split('/').slice(0, -1).join('/'));
    this.#entry(name, FILE | mode, Buffer.from(bytes));
  }

  characterDevice(name: string, major: number, minor: number): void {
    this.folder(name.split('/').slice(0, -1).join('/'));
    this.#entry(name, CHARACTER_DEVICE | 0o600, Buffer.alloc(0), major, minor);
  }

  bytes(): Buffer {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0));
    return Buffer.concat(this.#parts);
  }

  #entry(name: string, mode: number, bytes: Buffer, major = 0, minor = 0): void {
    const named = Buffer.from(`${name}\0`);
    const numbers = [(this.#inode += 1), mode, 0, 0, 1, 0, bytes.length, 0, 0, major, minor, named.length, 0];
    const header = Buffer.from(`070701${numbers.map(number => number.toString(16).padStart(8, '0')).join('')}`);
    const pad = (length: number): Buffer => Buffer.alloc((ALIGN_BYTES - (length % ALIGN_BYTES)) % ALIGN_BYTES);
    this.#parts.push(header, named, pad(header.length + named.length), bytes, pad(bytes.length));
  }
}
