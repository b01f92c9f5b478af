import { statSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { parametersOf, parseModinfo, type ModinfoString } from '../../kmod/ko/modinfo.ts';
import { ModuleFile } from '../../kmod/ko/module-file.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import { moduleName, moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import { modinfoText, signatureStrings, type ModinfoSubject } from './modinfo-text.ts';
import { bareWorld } from './tool-world.ts';
import type { ToolRun } from './tool.ts';

/** Fields that have an option of their own. */
const FIELDS = ['author', 'description', 'license', 'parm', 'filename'];

/** modinfo(8): prints what each module named says of itself. Reads none of modprobe's configuration. */
export function runModinfo(run: ToolRun): number {
  const { host, log, operands, has, valueOf } = run;
  if (operands.length === 0) {
    log.error('missing module or filename.');
    return 1;
  }
  const world = bareWorld(run, { base: valueOf('basedir'), version: valueOf('set-version') });
  const form = { field: lastField(run), separator: has('null') ? '\0' : '\n' } as const;
  let status = 0;
  for (const word of operands) {
    for (const subject of subjectsOf(word, world, run)) {
      if (subject === undefined) status = 1;
      else if (has('json')) host.out(`${JSON.stringify(subjectToJson(subject))}\n`);
      else host.out(Buffer.from(modinfoText(subject, form), 'latin1'));
    }
  }
  return status;
}

function lastField({ given }: ToolRun): string | undefined {
  const option = given.findLast(({ name }) => name === 'field' || FIELDS.includes(name));
  return option?.name === 'field' ? option.value : option?.name;
}

/** A word → the modules it means; undefined stands for one that cannot be told of, and was reported. */
function* subjectsOf(word: string, world: ModuleWorld, run: ToolRun): Generator<ModinfoSubject | undefined> {
  const { log, has } = run;
  if (isModuleFile(word)) {
    yield readFile(path.isAbsolute(word) ? word : `${process.cwd()}/${word}`, moduleNameOfPath(word), run);
    return;
  }
  const names = has('modname') ? nameOf(word, world) : lookupModules(word, world.tree, world.config).map(m => m.module);
  if (names.length === 0) log.error(has('modname') ? `Module name ${word} not found.` : `Module ${word} not found.`);
  if (names.length === 0) yield undefined;
  for (const name of names) {
    const entry = world.tree.module(name);
    if (entry !== undefined) yield readFile(world.tree.filePath(entry), name, run);
    else yield { file: undefined, name, strings: world.tree.builtinModinfo(name) };
  }
}

function nameOf(word: string, { tree }: ModuleWorld): readonly ModuleName[] {
  const name = moduleName(word);
  return tree.module(name) !== undefined || tree.isBuiltin(name) ? [name] : [];
}

function readFile(file: string, name: ModuleName, { log }: ToolRun): ModinfoSubject | undefined {
  try {
    using module = ModuleFile.open(file, UNPACKERS);
    const section = module.elf.section('.modinfo');
    const signature = module.signature();
    const strings = parseModinfo(section === undefined ? Buffer.alloc(0) : module.elf.bytes(section));
    const path1 = Buffer.from(file).toString('latin1');
    return { file: path1, name, strings: signature ? [...strings, ...signatureStrings(signature)] : strings };
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    log.error(`could not get modinfo from '${name}': ${error.message}`);
    return undefined;
  }
}

/** Only a file that is called like a module and is there; everything else is a name. Source: kmod tools/modinfo.c. */
function isModuleFile(word: string): boolean {
  const isCalledSo = /\.ko(?:\.gz|\.xz|\.zst)?$/.test(word);
  return isCalledSo && (statSync(word, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** Every key as a list, since each may stand there many times; parameters as objects. */
function subjectToJson({ file, name, strings }: ModinfoSubject): object {
  const text = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');
  const fields: Record<string, string[]> = {};
  for (const { key, value } of strings) {
    if (key !== 'parm' && key !== 'parmtype') (fields[text(key)] ??= []).push(text(value));
  }
  const parameters = parametersOf(strings.map(({ key, value }): ModinfoString => ({ key, value: text(value) })));
  return { name, file: file === undefined ? null : text(file), fields, parameters };
}
