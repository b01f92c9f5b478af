import type { ModuleFile } from './module-file.ts';

/** SHF_ALLOC of elf(5): the section is wanted in memory. */
const SHF_ALLOC = 0x2;
/** Where versions stand. The kernel wants both of the extended ones or neither. */
const VERSION_SECTIONS = ['__versions', '__version_ext_crcs', '__version_ext_names'] as const;
const VERMAGIC = Buffer.from('vermagic=');

/**
 * A module → its image without what the kernel would check, for init_module(2), which unlike finit_module(2) cannot be told to look
 * away: the sections of versions are marked as not wanted, and the vermagic string is made of NULs. The module itself stays as it is.
 * Source: kmod libkmod-elf.c, kmod_elf_strip_section and kmod_elf_strip_vermagic; init_module(2).
 * @throws {UsherdError} MODULE_FILE_DAMAGED
 */
export function forgetVersions(
  module: ModuleFile,
  { modversion, vermagic }: { readonly modversion: boolean; readonly vermagic: boolean },
): Buffer {
  const bytes = module.bytes();
  if (!modversion && !vermagic) return bytes;
  const image = Buffer.from(bytes);
  const { elf } = module;
  for (const name of modversion ? VERSION_SECTIONS : []) {
    const versions = elf.section(name);
    if (versions === undefined) continue;
    // sh_flags stands behind two words of 32 bits; the flag is in its lowest byte, whatever the word's width.
    const flags = versions.headerOffset + 8;
    const width = elf.is64 ? 8 : 4;
    const at = elf.isLittleEndian ? flags : flags + width - 1;
    image[at] = (image[at] ?? 0) & ~SHF_ALLOC;
  }
  const modinfo = vermagic ? elf.section('.modinfo') : undefined;
  if (modinfo !== undefined) wipeVermagic(image.subarray(modinfo.offset, modinfo.offset + modinfo.size));
  return image;
}

/** Every string `vermagic=…` of a .modinfo section becomes NULs. */
function wipeVermagic(modinfo: Buffer): void {
  for (let at = modinfo.indexOf(VERMAGIC); at >= 0; at = modinfo.indexOf(VERMAGIC, at + 1)) {
    if (at > 0 && modinfo[at - 1] !== 0) continue;
    const end = modinfo.indexOf(0, at);
    modinfo.fill(0, at, end < 0 ? modinfo.length : end);
  }
}
