import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const permit: Verb = {
  name: 'permit',
  summary: 'take a forbid back',
  description: [
    'The module, or what the alias pattern names, may be loaded again; nothing is loaded by this. The ledger keeps both.',
  ],
  arguments: [
    {
      name: 'module',
      description: 'what was forbidden, as usher policy show writes it',
      isRequired: true,
      completes: 'module',
    },
  ],
  options: [],
  examples: [{ command: 'usher permit algif_aead', does: 'It may be loaded again.' }],
  exitStatuses: { 1: 'It was not forbidden.' },
  run: runPermit,
};

async function runPermit([subject = '']: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  const { makeChange } = await import('../make-change.ts');
  const { isChanged } = await makeChange({ kind: 'permit', subject }, caller);
  if (caller.isJson) printJson(caller, { kind: 'permit', subject, isChanged });
  else printLines(caller, [isChanged ? `${subject} may be loaded again` : `${subject} was not forbidden`]);
  return isChanged ? 0 : 1;
}
