import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const taint: Verb = {
  name: 'taint',
  summary: 'say what taints the kernel, and which module did it',
  description: [
    'Decodes /proc/sys/kernel/tainted: each flag with its letter, what it means, and the loaded modules that carry it. A module that was removed, or failed to load, leaves its flags behind and is not named. modprobe --why says beforehand what a module would add.',
  ],
  arguments: [],
  options: [],
  examples: [{ command: 'usher taint', does: 'Whether a report of a kernel bug will be taken, and if not, why.' }],
  run: runTaint,
};

async function runTaint(_args: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { decodeTaint, readTaint } = await import('../../kernel/taint.ts');
  const { readProcModules } = await import('../../kernel/proc-modules.ts');
  const { proc } = caller.roots;
  const mask = readTaint(proc);
  if (mask === undefined) {
    const file = path.join(proc, 'sys/kernel/tainted');
    throw new UsherdError('FILE_UNREADABLE', `${file} is not there, or has no number`, { file });
  }
  const modules = readProcModules(proc) ?? [];
  const flags = decodeTaint(mask).map(flag => ({
    ...flag,
    modules: flag.isOfModules ? modules.filter(module => module.taint.includes(flag.letter)).map(m => m.name) : [],
  }));
  if (caller.isJson) {
    printJson(caller, { mask: mask.toString(), letters: flags.map(({ letter }) => letter).join(''), flags });
    return 0;
  }
  if (flags.length === 0) {
    printLines(caller, ['The kernel is not tainted.']);
    return 0;
  }
  const lines = flags.map(({ letter, bit, meaning, modules: names, isOfModules }) => {
    const who = names.length > 0 ? `: ${names.join(', ')}` : isOfModules ? ': no module that is loaded now' : '';
    return `${letter}  bit ${String(bit).padEnd(2)}  ${meaning}${who}`;
  });
  printLines(caller, [`The kernel is tainted: ${flags.map(({ letter }) => letter).join('')} (${mask})`, ...lines]);
  return 0;
}
