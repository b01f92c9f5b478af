import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Place, Problem } from '../../vocabulary/place.ts';
import { normaliseAlias } from '../lookup/normalise-alias.ts';
import type { Directive } from './directive.ts';
import type { ParsedConfig } from './modprobe-conf.ts';

/** modprobe reads this much of the command line and no more, in bytes (its buffer of 4096 less the closing NUL). */
export const COMMAND_LINE_MAX_BYTES = 4095;

/** A module the kernel itself refuses, by `module_blacklist=`. */
export interface KernelBlacklistEntry {
  readonly module: ModuleName;
  readonly place: Place;
}

/** What the kernel was started with, as far as modules are concerned. */
export interface ParsedCommandLine extends ParsedConfig {
  /** Names in `module_blacklist=`: modprobe knows nothing of them, the kernel answers EPERM. Source: kernel/module/main.c. */
  readonly kernelBlacklist: readonly KernelBlacklistEntry[];
}

/**
 * /proc/cmdline → options (`MODULE.PARAM`, `MODULE.PARAM=VALUE`) and blacklist lines (`modprobe.blacklist=A,B`).
 * White space separates; between double quotes, which may stand around the value or the whole word, it does not. A second dot
 * before the `=`, or a `=` before the dot, makes the word none of ours. Columns of the places count from 1.
 * Source: kmod libkmod-config.c, kmod_config_parse_kcmdline; modprobe(8).
 */
export function parseKernelCommandLine(text: string, file: string): ParsedCommandLine {
  const directives: Directive[] = [];
  const problems: Problem[] = [];
  const kernelBlacklist: KernelBlacklistEntry[] = [];
  for (const { 0: word, index } of text.slice(0, COMMAND_LINE_MAX_BYTES).matchAll(WORD)) {
    const place: Place = { file, line: 1, column: index + 1 };
    if (word.startsWith('module_blacklist=')) {
      const names = unquote(word.slice('module_blacklist='.length)).split(',');
      kernelBlacklist.push(...names.filter(name => name !== '').map(name => ({ module: moduleName(name), place })));
      continue;
    }
    const parameter = splitParameter(word);
    if (parameter === undefined) continue;
    const { module, option } = parameter;
    if (module === 'modprobe' && option.startsWith('blacklist=')) {
      for (const name of option.slice('blacklist='.length).split(',')) {
        if (name === '') continue;
        directives.push({ kind: 'blacklist', module: name as ModuleName, place });
        if (name.includes('-')) {
          problems.push({
            place,
            message: `found "modprobe.blacklist=${name}", wanted "${moduleName(name)}": names are not normalised here, so it matches nothing`,
          });
        }
      }
      continue;
    }
    const normalised = normaliseAlias(module);
    if (normalised === undefined) {
      problems.push({ place, message: `found the module name "${module}", wanted one with its brackets in pairs` });
    } else {
      directives.push({ kind: 'options', module: normalised as ModuleName, text: option, place });
    }
  }
  return { directives, problems, kernelBlacklist };
}

/** A stretch without white space, except between double quotes; one that is never closed reaches to the end. */
const WORD = /(?:[^\s"]|"[^"]*(?:"|$))+/g;

/** `MODULE.PARAM=VALUE` → the module and `PARAM=VALUE`; a quote around the whole word moves to the value. */
function splitParameter(word: string): { module: string; option: string } | undefined {
  const isWhole = word.startsWith('"');
  const text = isWhole ? unquote(word) : word;
  const equals = text.indexOf('=');
  const head = equals < 0 ? text : text.slice(0, equals);
  const dot = head.indexOf('.');
  if (dot <= 0 || dot === head.length - 1 || head.includes('.', dot + 1) || /[\s"]/.test(head)) return undefined;
  const name = head.slice(dot + 1);
  // A quoted word without a value is none of ours either: modprobe 30 passes over it.
  if (equals < 0) return isWhole ? undefined : { module: head.slice(0, dot), option: name };
  const value = text.slice(equals + 1);
  return { module: head.slice(0, dot), option: isWhole ? `${name}="${value}"` : `${name}=${value}` };
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined) : text;
}
