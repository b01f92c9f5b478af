import { existsSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import type { Directive } from '../../kmod/config/directive.ts';
import { ModuleFile } from '../../kmod/ko/module-file.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** Kinds in the order modprobe -c prints them. */
const CONFIG_ORDER = ['blacklist', 'install', 'remove', 'alias', 'options', 'softdep', 'weakdep'] as const;

/** `modprobe -R`: the modules a name or alias stands for, one a line, as often as patterns match. */
export function resolveAliases(run: ModprobeRun): number {
  const { host, has, operands, world, complain } = run;
  let status = 0;
  const lines: string[] = [];
  for (const word of has('all') ? operands : operands.slice(0, 1)) {
    const matches = lookupModules(word, world.tree, world.config);
    if (matches.length === 0) {
      host.out(lines.splice(0).join(''));
      status = 1;
      complain(notFound(word, run));
    }
    if (has('json')) lines.push(`${JSON.stringify({ query: word, matches })}\n`);
    else lines.push(...matches.map(({ module }) => `${module}\n`));
  }
  host.out(lines.join(''));
  return status;
}

/** What is said of a name nothing answers to. */
export function notFound(word: string, { world }: Pick<ModprobeRun, 'world'>): string {
  return `Module ${word} not found in directory ${world.tree.dir}`;
}

/** `modprobe -c`: the configuration by kind, then every alias and symbol of the tree. */
export function showConfig({ host, has, world: { tree, config } }: ModprobeRun): number {
  if (has('json')) {
    for (const directive of config.directives) host.out(`${JSON.stringify(directive)}\n`);
    return 0;
  }
  const lines = CONFIG_ORDER.flatMap(kind => config.directives.filter(directive => directive.kind === kind))
    .map(directiveLine)
    .concat('', '# End of configuration files. Dumping indexes now:', '');
  for (const index of [tree.aliasIndex(), tree.symbolIndex()]) {
    for (const { key, value } of index.entries()) lines.push(`alias ${key} ${value}`);
  }
  host.out(`${lines.join('\n')}\n`);
  return 0;
}

function directiveLine(directive: Directive): string {
  switch (directive.kind) {
    case 'alias':
      return `alias ${directive.pattern} ${directive.module}`;
    case 'blacklist':
      return `blacklist ${directive.module}`;
    case 'options':
      return `options ${directive.module} ${directive.text}`;
    case 'install':
    case 'remove':
      return `${directive.kind} ${directive.pattern} ${directive.command}`;
    case 'softdep': {
      const pre = directive.pre.length === 0 ? '' : `pre: ${directive.pre.join(' ')}`;
      const post = directive.post.length === 0 ? '' : `post: ${directive.post.join(' ')}`;
      // kmod leaves out the blank between the two.
      return `softdep ${directive.module} ${pre}${post}`;
    }
    case 'weakdep':
      return `weakdep ${directive.module} ${directive.modules.join(' ')}`;
    default:
      return assertNever(directive);
  }
}

/** `--show-modversions`, `--show-exports`: symbols with their checksums, of a file or of the modules a name stands for. */
export function showSymbols(run: ModprobeRun, what: 'modversions' | 'exports'): number {
  const { host, operands, world, complain, has } = run;
  const [word = ''] = operands;
  const files = existsSync(word)
    ? [word]
    : lookupModules(word, world.tree, world.config).flatMap(({ module }) => {
        const entry = world.tree.module(module);
        return entry === undefined ? [] : [world.tree.filePath(entry)];
      });
  if (files.length === 0) {
    complain(`Module ${word} not found.`);
    return 1;
  }
  for (const file of files) {
    try {
      using module = ModuleFile.open(file, UNPACKERS);
      const symbols = what === 'modversions' ? module.modversions() : module.exportedSymbols();
      const lines = symbols.map(symbol =>
        has('json') ? `${JSON.stringify(symbol)}\n` : `0x${symbol.crc.toString(16).padStart(8, '0')}\t${symbol.name}\n`,
      );
      host.out(lines.join(''));
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
      complain(`could not get ${what === 'modversions' ? what : 'symbols'} of ${file}: ${error.message}`);
      return 1;
    }
  }
  return 0;
}
