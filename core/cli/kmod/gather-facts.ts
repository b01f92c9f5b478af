import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readKernelSymbols } from '../../kernel/kallsyms.ts';
import { readModuleFacts, type ModuleFacts } from '../../kernel/module-facts.ts';
import { readModuleRestrictions } from '../../kernel/restrictions.ts';
import { listSysModules, readInitState } from '../../kernel/sys-module.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { ModuleFile } from '../../kmod/ko/module-file.ts';
import { parameterFindings } from '../../pipeline/5-resolve/check-parameters.ts';
import type { Finding } from '../../pipeline/5-resolve/finding.ts';
import { preflight, type KernelFacts, type PreflightSetting } from '../../pipeline/5-resolve/preflight.ts';
import { UsherdError } from '../../errors.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/**
 * Reads of the kernel what the pre-flight asks. What a module of it was built for is seen on one of the tree, a loaded one first. Its symbols
 * take a tenth of a second to read: without them none is missed.
 */
export function readKernelFacts(
  roots: SystemRoot,
  tree: ModuleTree,
  { withSymbols = true }: { readonly withSymbols?: boolean } = {},
): KernelFacts {
  return {
    release: os.release(),
    restrictions: readModuleRestrictions(roots),
    vermagic: kernelVermagic(roots, tree),
    checksSignatures: existsSync(path.join(roots.sys, 'module/module/parameters/sig_enforce')),
    symbols: withSymbols ? readKernelSymbols(roots.proc) : undefined,
  };
}

/** A module file → what is to be expected of it, or why it cannot be told. */
export function findingsOf(
  file: string,
  kernel: KernelFacts,
  {
    roots,
    tree,
    force,
    comes,
    parameters = '',
  }: {
    readonly roots: SystemRoot;
    readonly tree: ModuleTree;
    readonly force?: PreflightSetting['force'];
    /** Modules that come with it. */
    readonly comes: ReadonlySet<ModuleName>;
    readonly parameters?: string;
  },
): readonly Finding[] {
  let facts: ModuleFacts;
  try {
    facts = readModuleFacts(file, { root: roots.root, release: kernel.release });
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    return [{ kind: 'symbol', severity: 'refusal', message: `it cannot be read: ${error.message}` }];
  }
  return preflight(facts, kernel, {
    has: module => comes.has(module) || readInitState(roots.sys, module, tree.isBuiltin(module)) !== undefined,
    exportersOf: symbol =>
      tree
        .symbolIndex()
        .match(`symbol:${symbol}`)
        .map(({ module }) => module),
    ...(force === undefined ? {} : { force }),
    parameters,
  });
}

/** Parameters for a module file → what is wrong with them, read without anything else; nothing of a file that cannot be read. */
export function wrongParameters(file: string, parameters: string): readonly Finding[] {
  if (parameters === '') return [];
  try {
    using module = ModuleFile.open(file, UNPACKERS);
    return parameterFindings(module.modinfo().parameters, parameters);
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    return [];
  }
}

/** Modules of a tree that are looked at for one of the kernel's own; those of other kernels are few. */
const VERMAGIC_MAX_MODULES = 8;

function kernelVermagic({ sys, root }: SystemRoot, tree: ModuleTree): string | undefined {
  const release = os.release();
  if (path.basename(tree.dir) !== release) return undefined;
  const loaded = listSysModules(sys).filter(module => tree.module(module) !== undefined);
  for (const name of [...loaded.slice(0, VERMAGIC_MAX_MODULES), ...tree.moduleNames().slice(0, VERMAGIC_MAX_MODULES)]) {
    const entry = tree.module(name);
    if (entry === undefined) continue;
    try {
      const { vermagic } = readModuleFacts(tree.filePath(entry), { root, release });
      // One that was built for another kernel, and got in by its checksums, says nothing of this one.
      if (vermagic?.startsWith(`${release} `) === true) return vermagic;
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
    }
  }
  return undefined;
}
