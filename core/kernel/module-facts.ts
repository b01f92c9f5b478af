import { existsSync } from 'node:fs';
import path from 'node:path';
import { ModuleFile } from '../kmod/ko/module-file.ts';
import type { ModuleParameter } from '../kmod/ko/modinfo.ts';
import { moduleName, moduleNameOfPath, type ModuleName } from '../vocabulary/module-name.ts';
import { UNPACKERS } from './unpackers.ts';

/** What a module file says of itself that decides how the kernel will take it. */
export interface ModuleFacts {
  readonly module: ModuleName;
  readonly file: string;
  readonly license: string | undefined;
  /** What it was built for: `6.1.0-56-amd64 SMP preempt mod_unload modversions`. */
  readonly vermagic: string | undefined;
  /** Built with the kernel (intree=Y). */
  readonly isInTree: boolean;
  readonly isStaging: boolean;
  readonly isLivePatch: boolean;
  /** A test of the kernel (test=Y). */
  readonly isTest: boolean;
  readonly isSigned: boolean;
  readonly signer: string | undefined;
  /** Modules whose symbols it uses. */
  readonly depends: readonly ModuleName[];
  /** Firmware files it may ask for, and whether each is there. */
  readonly firmware: readonly { readonly name: string; readonly isPresent: boolean }[];
  readonly parameters: readonly ModuleParameter[];
  /** Symbols it cannot do without. */
  readonly neededSymbols: readonly string[];
  /** Whether it has checksums of the symbols it uses; the release in vermagic is not compared then. */
  readonly hasModversions: boolean;
}

/** What the kernel also takes of a firmware file's name. Source: drivers/base/firmware_loader/main.c. */
const FIRMWARE_SUFFIXES = ['', '.zst', '.xz'] as const;

/**
 * Reads a module file, and looks for its firmware in the folders the kernel searches.
 * @throws {UsherdError} FILE_UNREADABLE, MODULE_FILE_TOO_LARGE, MODULE_FILE_DAMAGED, COMPRESSION_UNAVAILABLE
 */
export function readModuleFacts(file: string, { root, release }: { root: string; release: string }): ModuleFacts {
  using module = ModuleFile.open(file, UNPACKERS);
  const info = module.modinfo();
  const says = (key: string): boolean => info.strings.some(string => string.key === key && string.value === 'Y');
  const signature = module.signature();
  const folders = firmwareFolders(root, release);
  return {
    module: info.name === undefined ? moduleNameOfPath(file) : moduleName(info.name),
    file,
    license: info.license,
    vermagic: info.vermagic,
    isInTree: says('intree'),
    isStaging: says('staging'),
    isLivePatch: says('livepatch'),
    isTest: says('test'),
    isSigned: signature !== undefined,
    signer: signature?.signer,
    depends: info.depends.map(name => moduleName(name)),
    firmware: info.firmware.map(name => ({ name, isPresent: hasFirmware(name, folders) })),
    parameters: info.parameters,
    neededSymbols: module
      .neededSymbols()
      .filter(({ isWeak }) => !isWeak)
      .map(({ name }) => name),
    hasModversions: module.elf.section('__versions') !== undefined,
  };
}

/** Source: Documentation/driver-api/firmware/fw_search_path.rst. */
function firmwareFolders(root: string, release: string): readonly string[] {
  const firmware = path.join(root, 'lib/firmware');
  return [`updates/${release}`, 'updates', release, ''].map(name => path.join(firmware, name));
}

/** A name with a wildcard stands for files of which any may be wanted; some of it is there when its folder is. */
function hasFirmware(name: string, folders: readonly string[]): boolean {
  const wanted = name.includes('*') ? path.dirname(name) : name;
  const suffixes = name.includes('*') ? [''] : FIRMWARE_SUFFIXES;
  return folders.some(folder => suffixes.some(suffix => existsSync(path.join(folder, wanted + suffix))));
}
