import { execFileSync } from 'node:child_process';

/** Setup header of a bzImage. Source: Documentation/arch/x86/boot.rst. */
const SETUP_SECTORS_AT = 0x1f1;
const MAGIC_AT = 0x202;
const PAYLOAD_OFFSET_AT = 0x248;
const PAYLOAD_LENGTH_AT = 0x24c;
const SECTOR_BYTES = 512;
/** An uncompressed Debian kernel has 60 MB. */
const ELF_MAX_BYTES = 512 * 1024 * 1024;

const UNPACKERS: readonly (readonly [magic: string, command: readonly string[]])[] = [
  ['fd377a585a00', ['xz', '-dc', '--single-stream']],
  ['28b52ffd', ['zstd', '-dc']],
  ['1f8b', ['gzip', '-dc']],
];

/**
 * A bzImage → the ELF kernel in it, which QEMU enters directly (PVH): unpacking it inside an emulated machine would take two seconds at
 * each boot. The payload ends with four bytes that tell its size.
 */
export function elfOfBzImage(image: Buffer, file: string): Buffer {
  if (image.toString('latin1', MAGIC_AT, MAGIC_AT + 4) !== 'HdrS') throw new Error(`${file}: not a bzImage`);
  const setupBytes = ((image[SETUP_SECTORS_AT] ?? 4) + 1) * SECTOR_BYTES;
  const from = setupBytes + image.readUInt32LE(PAYLOAD_OFFSET_AT);
  const payload = image.subarray(from, from + image.readUInt32LE(PAYLOAD_LENGTH_AT));
  const found = UNPACKERS.find(([magic]) => payload.toString('hex', 0, magic.length / 2) === magic);
  if (found === undefined)
    throw new Error(`${file}: payload begins ${payload.toString('hex', 0, 6)}, which is no known packing`);
  const [program = '', ...words] = found[1];
  return execFileSync(program, words, { input: payload.subarray(0, -4), maxBuffer: ELF_MAX_BYTES });
}
