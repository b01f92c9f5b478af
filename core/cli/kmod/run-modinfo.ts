import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { readBuildId } from '../../kmod/ko/build-id.ts';
import { parametersOf, parseModinfo, type ModinfoString } from '../../kmod/ko/modinfo.ts';
import { ModuleFile } from '../../kmod/ko/module-file.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import { moduleName, moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import { BUILD_ID_FIELD, buildIdStrings, modinfoText, signatureStrings, type ModinfoSubject } from './modinfo-text.ts';
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
    const subjects = subjectsOf(word, world, run);
    if (subjects.length === 0) {
      log.error(has('modname') ? `Module name ${word} not found.` : `Module ${word} not found.`);
      status = 1;
    }
    for (const found of subjects) {
      const subject = form.field === 'filename' && !has('json') ? found : readStrings(found, world, run);
      if (subject !== found && subject.strings === undefined) status = 1;
      if (form.field === undefined || form.field === 'parm') reportBadParameters(subject, run);
      if (has('json')) host.out(`${JSON.stringify(subjectToJson(subject))}\n`);
      else host.out(Buffer.from(modinfoText(subject, form), 'latin1'));
    }
  }
  return status;
}

/** A parameter is told by the colon behind its name; one without is left out, and said. */
function reportBadParameters({ strings = [] }: ModinfoSubject, { log }: ToolRun): void {
  for (const { key, value } of strings) {
    const isParameter = key === 'parm' || key === 'parmtype';
    if (isParameter && !value.includes(':')) log.error(`Found invalid "${key}=${value}": missing ':'`);
  }
}

function lastField({ given }: ToolRun): string | undefined {
  const option = given.findLast(({ name }) => name === 'field' || FIELDS.includes(name));
  return option?.name === 'field' ? option.value : option?.name;
}

/** A word → the modules it means, not read yet. */
function subjectsOf(word: string, world: ModuleWorld, { has }: ToolRun): readonly ModinfoSubject[] {
  if (!has('modname') && isModuleFile(word)) {
    const file = path.isAbsolute(word) ? word : `${process.cwd()}/${word}`;
    return [{ file: latin1(file), name: moduleNameOfPath(word), strings: undefined }];
  }
  const { tree, config } = world;
  const names = has('modname') ? nameOf(word, world) : lookupModules(word, tree, config).map(({ module }) => module);
  return names.map(name => {
    const entry = tree.module(name);
    return { name, file: entry === undefined ? undefined : latin1(tree.filePath(entry)), strings: undefined };
  });
}

/** With -m a module's own name up to its first dot, or an alias of one that is built in; no other alias. As observed of kmod 30. */
function nameOf(word: string, { tree }: ModuleWorld): readonly ModuleName[] {
  const name = moduleName(word.replace(/\..*$/s, ''));
  if (tree.module(name) !== undefined || tree.isBuiltin(name)) return [name];
  return tree
    .builtinAliasIndex()
    .match(name)
    .map(({ module }) => module);
}

/** The same with its strings, as far as they can be had; why they cannot is reported. */
function readStrings(subject: ModinfoSubject, { tree }: ModuleWorld, run: ToolRun): ModinfoSubject {
  const { log, has } = run;
  const { file, name } = subject;
  if (file === undefined) {
    const strings = tree.builtinModinfo(moduleName(name));
    // A kernel without the file tells of none; one that has it should tell of each.
    if (strings.length > 0 || !existsSync(path.join(tree.dir, 'modules.builtin.modinfo')))
      return { ...subject, strings };
    log.error(`could not get modinfo from '${name}': modules.builtin.modinfo says nothing of it`);
    return { ...subject };
  }
  try {
    using module = ModuleFile.open(Buffer.from(file, 'latin1').toString(), UNPACKERS);
    const section = module.elf.section('.modinfo');
    const signature = module.signature();
    const own = parseModinfo(section === undefined ? Buffer.alloc(0) : module.elf.bytes(section));
    // A signature that cannot be taken apart is none to kmod.
    const isSound = signature !== undefined && (signature.format !== 'PKCS#7' || signature.keyId !== '');
    const wantsId = has('json') || lastField(run) === BUILD_ID_FIELD;
    const buildId = wantsId ? buildIdStrings(readBuildId(module.elf)) : [];
    return { ...subject, strings: [...own, ...buildId, ...(isSound ? signatureStrings(signature) : [])] };
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    log.error(`could not get modinfo from '${name}': ${error.message}`);
    return { ...subject };
  }
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Only a file that is called like a module and is there; everything else is a name. Source: kmod tools/modinfo.c. */
function isModuleFile(word: string): boolean {
  const isCalledSo = /\.ko(?:\.gz|\.xz|\.zst)?$/.test(word);
  return isCalledSo && (statSync(word, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** Every key as a list, since each may stand there many times; parameters as objects. */
function subjectToJson({ file, name, strings }: ModinfoSubject): object {
  const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
  const fields: Record<string, string[]> = {};
  for (const { key, value } of strings ?? []) {
    if (key !== 'parm' && key !== 'parmtype') (fields[text(key)] ??= []).push(text(value));
  }
  const parameters = parametersOf(
    (strings ?? []).map(({ key, value }): ModinfoString => ({ key, value: text(value) })),
  );
  return { name, file: file === undefined ? null : text(file), fields, parameters };
}
