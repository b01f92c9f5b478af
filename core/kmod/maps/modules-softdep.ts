import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/** What should be loaded before and after a module, where it is there at all. Names or aliases, as written. */
export interface Softdep {
  readonly pre: readonly string[];
  readonly post: readonly string[];
}

/** One line of modules.softdep, `softdep MODULE pre: NAMES post: NAMES`. */
export interface SoftdepLine extends Softdep {
  readonly module: ModuleName;
}

/** `pre: a b post: c` → its names. A name before either keyword is passed over. Source: kmod libkmod-config.c. */
export function parseSoftdep(text: string): Softdep {
  const pre: string[] = [];
  const post: string[] = [];
  let list: string[] | undefined;
  for (const word of text.split(/[ \t\n\v\f\r]+/)) {
    if (word === 'pre:') list = pre;
    else if (word === 'post:') list = post;
    else if (word !== '') list?.push(word);
  }
  return { pre, post };
}

/** modules.softdep → its lines. Modprobe reads the same file as part of its configuration. */
export function parseModulesSoftdep(text: string, file: string): MapFile<SoftdepLine> {
  return parseLines(text, file, '"softdep MODULE pre: NAMES post: NAMES"', line => {
    const [, module, rest] = /^softdep[ \t]+([^ \t]+)[ \t](.+)$/.exec(line) ?? [];
    return module === undefined || rest === undefined
      ? undefined
      : { module: moduleName(module), ...parseSoftdep(rest) };
  });
}

/** The line depmod writes for a module's `softdep=` string, with its newline. */
export function formatSoftdepLine(module: string, text: string): string {
  return `softdep ${module} ${text}\n`;
}
