import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import { FinitFlag, finitModule, initModule } from '../../kernel/module-calls.ts';
import { readModuleRestrictions, type ModuleRestrictions } from '../../kernel/restrictions.ts';
import { readInitState } from '../../kernel/sys-module.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { compressionOf, readModuleImage } from '../../kernel/module-image.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ModuleState } from '../5-resolve/plan-load.ts';
import type { CommandEnd, ModuleLoader } from './module-loader.ts';
import { runCommand } from './run-command.ts';

/** Loads modules into the running kernel. */
export class KernelLoader implements ModuleLoader {
  readonly #roots: SystemRoot;
  readonly #tree: () => ModuleTree;

  constructor(roots: SystemRoot, tree: () => ModuleTree) {
    this.#roots = roots;
    this.#tree = tree;
  }

  /**
   * The file as it is by finit_module(2), also compressed where /sys/module/compression says the kernel knows how; otherwise
   * decompressed here and given to init_module(2). Source: libkmod's order of trying.
   */
  async insert(file: string, parameters: string): Promise<ErrnoName | undefined> {
    const compression = compressionOf(file);
    if (compression === undefined || compression === this.#kernelCompression()) {
      const flags = compression === undefined ? 0 : FinitFlag.compressedFile;
      const errno = await finitModule(file, parameters, { flags });
      const isUnable = errno === 'ENOSYS' || errno === 'EOPNOTSUPP';
      if (!isUnable || !this.restrictions().hasModules) return errno;
    }
    return initModule(readModuleImage(file), parameters);
  }

  runCommand(command: string, module: ModuleName): Promise<CommandEnd> {
    return runCommand(command, module);
  }

  stateOf(module: ModuleName): ModuleState | undefined {
    return readInitState(this.#roots.sys, module, this.#tree().isBuiltin(module));
  }

  restrictions(): ModuleRestrictions {
    return readModuleRestrictions(this.#roots);
  }

  #kernelCompression(): string {
    try {
      return readFileSync(path.join(this.#roots.sys, 'module/compression'), 'latin1').trim();
    } catch {
      return 'unavailable';
    }
  }
}
