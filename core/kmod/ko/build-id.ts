import type { ElfFile } from './elf.ts';

/** NT_GNU_BUILD_ID of elf(5). */
const BUILD_ID = 3;
/** Two lengths and a type, of 32 bits each. */
const HEADER_BYTES = 12;

/**
 * What the linker named this build by, usually 20 bytes; a loaded module shows the same in /sys/module/NAME/notes. Undefined where the
 * section is not there or is no such note. Source: elf(5), Nhdr; ld(1), --build-id.
 * @throws {UsherdError} MODULE_FILE_DAMAGED where the section lies outside of the file
 */
export function readBuildId(elf: ElfFile): Buffer | undefined {
  const section = elf.section('.note.gnu.build-id');
  if (section === undefined) return undefined;
  const note = elf.bytes(section);
  if (note.length < HEADER_BYTES) return undefined;
  const [nameBytes, idBytes, type] = [elf.u32(note, 0), elf.u32(note, 4), elf.u32(note, 8)];
  const from = HEADER_BYTES + Math.ceil(nameBytes / 4) * 4;
  const isOurs = type === BUILD_ID && note.toString('latin1', HEADER_BYTES, HEADER_BYTES + nameBytes) === 'GNU\0';
  return isOurs && idBytes > 0 && from + idBytes <= note.length ? note.subarray(from, from + idBytes) : undefined;
}
