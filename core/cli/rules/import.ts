import { readFileSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { importBlacklist } from '../../pipeline/4-policy/rules/import/import-blacklist.ts';
import { importUsbguard, type Imported } from '../../pipeline/4-policy/rules/import/import-usbguard.ts';
import { listConfFiles } from '../../kmod/config/conf-files.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { printJson } from '../output.ts';
import type { Caller } from '../verb.ts';

/** Prints the rules of another program in our language; what cannot be said goes to standard error → 1 when there is any. */
export async function importRules([from, ...files]: readonly string[], caller: Caller): Promise<number> {
  const translate = from === 'usbguard' ? importUsbguard : from === 'modprobe.d' ? importBlacklist : undefined;
  if (translate === undefined) {
    throw new UsherdError('USAGE', `rules import knows usbguard and modprobe.d, found "${from ?? ''}"`);
  }
  const named = files.length === 0 && from === 'modprobe.d' ? listConfFiles(caller.roots.modprobeDirs).files : files;
  if (named.length === 0) throw new UsherdError('USAGE', `rules import ${from} needs a file`);
  const imported = named.map((file): Imported => translate(read(file), file));
  const text = imported.map(each => each.text).join('');
  const problems = imported.flatMap(each => each.problems);
  if (caller.isJson) printJson(caller, { rules: text, problems });
  else {
    caller.stdout.write(text);
    for (const problem of problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  }
  return problems.length > 0 ? 1 : 0;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}
