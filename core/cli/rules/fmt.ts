import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { formatRules } from '../../pipeline/4-policy/rules/format-rules.ts';
import { isSet } from '../option-values.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues } from '../verb.ts';

/** Formats rule files: prints them, changes them (--write), or says which would change (--check, and then 1 is the status). */
export async function formatRuleFiles(
  files: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  if (files.length === 0) throw new UsherdError('USAGE', 'rules fmt needs the files that are to be formatted');
  let changed = 0;
  for (const file of files) {
    const text = read(file);
    const formatted = formatRules(text);
    const isChanged = formatted !== text;
    if (isChanged) changed += 1;
    const isWritten = isChanged && isSet(options, 'write');
    if (isWritten) replaceFile(file, formatted);
    if (caller.isJson) printJson(caller, { file, isFormatted: !isChanged, isWritten });
    else if (isSet(options, 'check') || isSet(options, 'write')) {
      if (isChanged) printLines(caller, [isWritten ? `${file}: formatted` : `${file}: not formatted`]);
    } else caller.stdout.write(formatted);
  }
  return isSet(options, 'check') && changed > 0 ? 1 : 0;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}

/** Beside it and renamed, so that no reader ever finds half a file. @throws {UsherdError} FILE_UNWRITABLE */
function replaceFile(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`;
  try {
    writeFileSync(beside, text, { mode: statSync(file).mode & 0o777, flag: 'wx' });
    renameSync(beside, file);
  } catch (error) {
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}
