import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import { FinitFlag, finitModule, finitModules, initModule } from '../../kernel/module-calls.ts';
import { putOnDisk, type RestsOn } from '../../kernel/rests-on.ts';
import { NO_MODULES, readModuleRestrictions, type ModuleRestrictions } from '../../kernel/restrictions.ts';
import { readInitState } from '../../kernel/sys-module.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { FileSource } from '../../kmod/ko/byte-source.ts';
import { detectCompression, type Compression } from '../../kmod/ko/compression.ts';
import { ModuleFile } from '../../kmod/ko/module-file.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import { monotonicMs } from '../../vocabulary/monotonic-clock.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ModuleState } from '../5-resolve/plan-load.ts';
import type { CommandEnd, Insertable, Insertion, ModuleLoader } from './module-loader.ts';
import { forgetVersions } from '../../kmod/ko/forget-versions.ts';
import { runCommand, type CommandSetting } from './run-command.ts';

/** What a person asked for beside the module. */
export interface KernelLoaderSetting {
  /** Checks the kernel is to leave out (`modprobe -f`); both taint it. */
  readonly force?: { readonly modversion: boolean; readonly vermagic: boolean };
  readonly command?: CommandSetting;
}

/** Loads modules into the running kernel. */
export class KernelLoader implements ModuleLoader {
  /** What a kernel is built with does not change while it runs. */
  readonly canInsert: boolean;
  readonly #roots: SystemRoot;
  readonly #tree: () => ModuleTree;
  readonly #setting: KernelLoaderSetting;
  readonly #force: { readonly modversion: boolean; readonly vermagic: boolean };

  constructor(roots: SystemRoot, tree: () => ModuleTree, setting: KernelLoaderSetting = {}) {
    this.#roots = roots;
    // Where /proc is not mounted nobody knows, and the kernel is asked.
    this.canInsert = existsSync(path.join(roots.proc, 'modules')) || !existsSync(path.join(roots.proc, 'self'));
    this.#tree = tree;
    this.#setting = setting;
    this.#force = setting.force ?? { modversion: false, vermagic: false };
  }

  /**
   * The file as it is by finit_module(2), also compressed where /sys/module/compression says the kernel knows how; otherwise
   * decompressed here and given to init_module(2), which has no flags: what is to be left unchecked is taken out of the image.
   * A file called .ko is nearly always what it says, so the kernel is asked first and the file is looked at when it was not.
   * Source: libkmod's order of trying.
   */
  async insert(file: string, parameters: string): Promise<ErrnoName | undefined> {
    if (!this.canInsert) return 'ENOSYS';
    return orErrno(async () => {
      const flags = this.#flagsFor(file);
      const errno = flags === undefined ? 'ENOSYS' : await finitModule(file, parameters, flags);
      return this.#mayTakeImage(errno, file) ? this.#insertImage(file, parameters) : errno;
    });
  }

  /**
   * Files that the kernel takes as they are it is given in one go, side by side as far as the module tree lets them; what it does not take
   * is given otherwise, and all after it.
   */
  insertTogether(files: readonly Insertable[], restsOn?: RestsOn): readonly Promise<Insertion>[] {
    const flags = files.map(({ path: file }) =>
      this.canInsert && file.endsWith('.ko') ? this.#flagsFor(file) : undefined,
    );
    const isPlain = flags.every(each => each !== undefined);
    const given = isPlain
      ? finitModules(
          files.map(({ module, path: file, parameters }, n) => ({
            file,
            parameters,
            flags: flags[n] ?? 0,
            needs: this.#needs(module, files.slice(0, n)),
          })),
          restsOn,
        )
      : [];
    const put = isPlain || restsOn === undefined ? undefined : putOnDisk(restsOn);
    const insertions: Promise<Insertion>[] = [];
    for (const [n, file] of files.entries())
      insertions.push(this.#insertAfter(put, insertions.slice(), file, given[n]));
    return insertions;
  }

  /** Of the files before a module the places of those it needs; of all of them where the tree does not know it. */
  #needs(module: ModuleName, before: readonly Insertable[]): readonly number[] {
    const dependencies = this.#tree().module(module)?.dependencies;
    return before.flatMap((each, n) => (dependencies?.includes(each.module) === false ? [] : [n]));
  }

  /** `given` is the kernel's answer where it was asked already. What it did not try it is asked when all before are in. */
  async #insertAfter(
    put: Promise<void> | undefined,
    before: readonly Promise<Insertion>[],
    { path: file, parameters }: Insertable,
    given: Promise<Insertion> | undefined,
  ): Promise<Insertion> {
    const first = await given;
    if (first !== undefined && first.answer !== 'not-tried') {
      if (!this.#mayTakeImage(first.answer, file)) return first;
      return timed(() => orErrno(() => this.#insertImage(file, parameters)));
    }
    await put;
    const earlier = await Promise.all(before);
    return earlier.every(({ answer }) => answer === undefined || answer === 'EEXIST')
      ? timed(() => this.insert(file, parameters))
      : { answer: 'not-tried', tookMs: 0 };
  }

  runCommand(command: string, module: ModuleName): Promise<CommandEnd> {
    return runCommand(command, module, this.#setting.command);
  }

  stateOf(module: ModuleName): ModuleState | undefined {
    return readInitState(this.#roots.sys, module, this.#tree().isBuiltin(module));
  }

  restrictions(): ModuleRestrictions {
    return this.canInsert ? readModuleRestrictions(this.#roots) : NO_MODULES;
  }

  /** How finit_module(2) is to take the file; undefined where it cannot. */
  #flagsFor(file: string): number | undefined {
    const compression = file.endsWith('.ko') ? 'none' : compressionOf(file);
    if (compression !== 'none' && compression !== this.#kernelCompression()) return undefined;
    const { modversion, vermagic } = this.#force;
    return (
      (compression === 'none' ? 0 : FinitFlag.compressedFile) |
      (modversion ? FinitFlag.ignoreModversions : 0) |
      (vermagic ? FinitFlag.ignoreVermagic : 0)
    );
  }

  /** What the kernel answers to the image in memory. */
  async #insertImage(file: string, parameters: string): Promise<ErrnoName | undefined> {
    using unpacked = ModuleFile.open(file, UNPACKERS);
    return await initModule(forgetVersions(unpacked, this.#force), parameters);
  }

  /** Whether the kernel has not the call, or the file is packed whatever its name says: it may take the image in memory. */
  #mayTakeImage(errno: ErrnoName | undefined, file: string): boolean {
    if (errno === 'ENOEXEC' && file.endsWith('.ko')) return compressionOf(file) !== 'none';
    return errno === 'ENOSYS' || errno === 'EOPNOTSUPP';
  }

  #kernelCompression(): string {
    try {
      return readFileSync(path.join(this.#roots.sys, 'module/compression'), 'latin1').trim();
    } catch {
      return 'unavailable';
    }
  }
}

async function timed(insert: () => Promise<ErrnoName | undefined>): Promise<Insertion> {
  const startedAt = monotonicMs();
  const answer = await insert();
  return { answer, tookMs: monotonicMs() - startedAt };
}

function compressionOf(file: string): Compression {
  using source = new FileSource(file);
  return detectCompression(source);
}

async function orErrno(insert: () => Promise<ErrnoName | undefined>): Promise<ErrnoName | undefined> {
  try {
    return await insert();
  } catch (error) {
    if (error instanceof UsherdError) return errnoOf(error);
    throw error;
  }
}

/** A file that cannot be read or unpacked → what the kernel would have said of it. */
function errnoOf({ code, details }: UsherdError): ErrnoName {
  if (code === 'FILE_UNREADABLE') return (details['errno'] as ErrnoName | undefined) ?? 'EIO';
  return code === 'MODULE_FILE_TOO_LARGE' ? 'EFBIG' : 'ENOEXEC';
}
