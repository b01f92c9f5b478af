import { isPlausibleModuleName, moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { UsherdError } from '../../errors.ts';
import type { LiveParameter } from '../../kernel/sys-parameters.ts';
import type { ModuleParameter } from '../../kmod/ko/modinfo.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const param: Verb = {
  name: 'param',
  summary: 'show the parameters of a module, or set one while it is loaded',
  description: [
    'Each parameter is shown with its type, what the module says of it, its value now, and whether it can be set without loading the module again. NAME shows one, NAME=VALUE sets it.',
    'A parameter the module does not have, or a value that is not of its type, is pointed out before the kernel is asked; the kernel decides. What is set so lasts until the module is removed: an options line in modprobe.d(5) is for good.',
  ],
  arguments: [
    { name: 'module', description: 'a module, loaded or not', isRequired: true, completes: 'module' },
    { name: 'parameter', description: 'NAME, or NAME=VALUE to set it' },
  ],
  options: [],
  examples: [
    { command: 'usher param usbcore', does: 'All parameters, with their values.' },
    {
      command: 'usher param usbcore autosuspend=-1',
      does: 'Never suspend USB devices that are plugged in from now on.',
    },
  ],
  run: runParam,
};

/** A parameter as the module describes it and as the kernel has it. */
interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly value: string | undefined;
  readonly isWritable: boolean;
  readonly isLive: boolean;
}

async function runParam([word = '', wish]: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  if (!isPlausibleModuleName(word)) throw new UsherdError('USAGE', `"${word}" is no name a module can have`);
  const module = moduleName(word);
  const { readLiveParameters } = await import('../../kernel/sys-parameters.ts');
  const live = readLiveParameters(caller.roots.sys, module);
  const described = await describedParameters(module, caller);
  if (live === undefined && described === undefined) {
    throw new UsherdError('NOT_FOUND', `there is no module ${module} in ${caller.roots.sys} nor in the module tree`, {
      module,
    });
  }
  const parameters = join(described ?? [], live ?? []);
  const equals = wish?.indexOf('=') ?? -1;
  if (wish !== undefined && equals >= 0) {
    return setOne(module, wish.slice(0, equals), wish.slice(equals + 1), parameters, caller);
  }
  const shown = wish === undefined ? parameters : parameters.filter(({ name }) => sameName(name, wish));
  if (wish !== undefined && shown.length === 0) throw unknownParameter(module, wish, parameters);
  if (caller.isJson) for (const parameter of shown) printJson(caller, { module, ...parameter });
  else if (shown.length > 0) printLines(caller, shown.flatMap(parameterLines));
  else printLines(caller, [`${module} has no parameters`]);
  return 0;
}

async function setOne(
  module: ModuleName,
  name: string,
  value: string,
  parameters: readonly Parameter[],
  caller: Caller,
): Promise<number> {
  const { parameterProblem } = await import('../../pipeline/5-resolve/check-parameter.ts');
  const { setParameter } = await import('../../pipeline/6-load/set-parameter.ts');
  const { errnoText } = await import('../../vocabulary/errno.ts');
  const parameter = parameters.find(item => sameName(item.name, name));
  if (parameter === undefined || !/^[A-Za-z0-9_.-]+$/.test(name)) throw unknownParameter(module, name, parameters);
  const problem = parameterProblem(parameter.type, value);
  if (problem !== undefined) caller.stderr.write(`usher: ${module}.${parameter.name}: ${problem}\n`);
  if (parameter.isLive && !parameter.isWritable) {
    caller.stderr.write(
      `usher: ${module}.${parameter.name} cannot be set while the module is loaded; an options line in modprobe.d(5) can\n`,
    );
  }
  const errno = setParameter(caller.roots.sys, module, parameter.name, value);
  const { tellByHand } = await import('../../daemon/tell-by-hand.ts');
  await tellByHand(caller.roots, caller, {
    tool: 'param',
    words: [module, `${name}=${value}`],
    ...(errno === undefined
      ? { set: [{ module, parameter: parameter.name, value }] }
      : { failed: [{ module, reason: `${errno}: ${errnoText(errno)}` }] }),
  });
  if (caller.isJson) printJson(caller, { module, name: parameter.name, value, errno: errno ?? null });
  if (errno === undefined) return 0;
  const why = errno === 'ENOENT' ? 'the module is not loaded, or does not show it in /sys' : errnoText(errno);
  caller.stderr.write(`usher: ${module}.${parameter.name} was not set to "${value}": ${why}\n`);
  return 1;
}

function unknownParameter(module: ModuleName, name: string, parameters: readonly Parameter[]): UsherdError {
  const has = parameters.length === 0 ? 'none' : parameters.map(parameter => parameter.name).join(', ');
  return new UsherdError('NOT_FOUND', `${module} has no parameter "${name}"; it has ${has}`, { module, name });
}

/** The kernel takes `-` for `_` in parameters, too. Source: kernel/params.c, parameq. */
function sameName(a: string, b: string): boolean {
  return a.replaceAll('-', '_') === b.replaceAll('-', '_');
}

function join(described: readonly ModuleParameter[], live: readonly LiveParameter[]): readonly Parameter[] {
  const names = [...new Set([...described, ...live].map(({ name }) => name))];
  return names.map(name => {
    const says = described.find(parameter => parameter.name === name);
    const has = live.find(parameter => parameter.name === name);
    return {
      name,
      type: says?.type ?? '',
      description: says?.description ?? '',
      value: has?.value,
      isWritable: has?.isWritable ?? false,
      isLive: has !== undefined,
    };
  });
}

function parameterLines({ name, type, description, value, isWritable, isLive }: Parameter): readonly string[] {
  const state = !isLive ? 'not shown by the kernel' : (value ?? 'may not be read');
  const facts = [...(type === '' ? [] : [type]), ...(isWritable ? ['can be set'] : [])];
  return [
    `${name} = ${state}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`,
    ...(description === '' ? [] : [`    ${description.replaceAll('\n', '\n    ')}`]),
  ];
}

/** What the module's file says, or for one that is part of the kernel, modules.builtin.modinfo. Undefined when neither is there. */
async function describedParameters(
  module: ModuleName,
  { roots, release }: Caller,
): Promise<readonly ModuleParameter[] | undefined> {
  const { openWorld } = await import('../../daemon/module-world.ts');
  const { runningRelease } = await import('../call-verb.ts');
  const { tree } = openWorld(roots, release ?? runningRelease());
  const entry = tree.module(module);
  if (entry !== undefined) {
    const { ModuleFile } = await import('../../kmod/ko/module-file.ts');
    const { UNPACKERS } = await import('../../kernel/unpackers.ts');
    using file = ModuleFile.open(tree.filePath(entry), UNPACKERS);
    return file.modinfo().parameters;
  }
  const { parametersOf } = await import('../../kmod/ko/modinfo.ts');
  const strings = tree.builtinModinfo(module);
  return strings.length === 0 && !tree.isBuiltin(module) ? undefined : parametersOf(strings);
}
