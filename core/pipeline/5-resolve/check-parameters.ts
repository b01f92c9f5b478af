import type { ModuleParameter } from '../../kmod/ko/modinfo.ts';
import { parameterProblem } from './check-parameter.ts';
import type { Finding } from './finding.ts';

/** One word of a module's parameters; without `=` there is no value. */
export interface ParameterWord {
  readonly name: string;
  readonly value: string | undefined;
}

/** What the kernel itself takes for every module. Source: kernel/module/main.c, unknown_module_param_cb; lib/dynamic_debug.c. */
const OF_EVERY_MODULE: ReadonlySet<string> = new Set(['async_probe', 'dyndbg']);
/** Longest text a charp takes, in bytes. Source: kernel/params.c, param_set_charp. */
const CHARP_MAX_BYTES = 1024;

/**
 * Parameters as finit_module(2) takes them → their words: blanks separate, but for those between `"`; quotes around a value or a whole word
 * go. Source: lib/cmdline.c, next_arg.
 */
export function parameterWords(text: string): readonly ParameterWord[] {
  const words = text.match(/(?:"[^"]*(?:"|$)|[^\s"])+/g) ?? [];
  return words.map(word => {
    const whole = word.startsWith('"') ? unquoted(word) : word;
    const equals = whole.indexOf('=');
    if (equals < 0) return { name: whole, value: undefined };
    return { name: whole.slice(0, equals), value: unquoted(whole.slice(equals + 1)) };
  });
}

/**
 * Parameters a module has, and those it is to be given → what is wrong with these: one it has not, which the kernel passes over, and a value
 * that is not of its type, for which it refuses the module. The kernel decides.
 */
export function parameterFindings(has: readonly ModuleParameter[], text: string): readonly Finding[] {
  const known = new Map(has.map(parameter => [underscored(parameter.name), parameter]));
  return parameterWords(text).flatMap(({ name, value }): Finding[] => {
    const finding = (severity: Finding['severity'], message: string): Finding[] => [
      { kind: 'parameter', severity, message },
    ];
    if (OF_EVERY_MODULE.has(underscored(name))) return [];
    const parameter = known.get(underscored(name));
    if (parameter === undefined) {
      const names = has.length === 0 ? 'none' : has.map(each => each.name).join(', ');
      return finding('warning', `it has no parameter "${name}", which the kernel passes over; it has ${names}`);
    }
    const problem = wordProblem(parameter.type, value);
    return problem === undefined ? [] : finding('refusal', `its parameter ${parameter.name}: ${problem}`);
  });
}

/** Source: kernel/params.c: only of bool a name alone is a value. */
function wordProblem(type: string, value: string | undefined): string | undefined {
  if (value === undefined) return type === 'bool' || type === '' ? undefined : `found no value, wanted one (${type})`;
  if (type === 'charp' && Buffer.byteLength(value) > CHARP_MAX_BYTES)
    return `found ${Buffer.byteLength(value)} bytes, wanted at most ${CHARP_MAX_BYTES}`;
  return parameterProblem(type, value);
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined);
}

/** The kernel takes `-` for `_` in names. Source: kernel/params.c, parameq. */
function underscored(name: string): string {
  return name.replaceAll('-', '_');
}
