import { UsherdError } from '../../errors.ts';
import { ledgerFile, withHistory } from '../open-history.ts';
import { textOption } from '../option-values.ts';
import { printJson } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const historyAnchor: Verb = {
  name: 'history anchor',
  summary: 'print the newest seal of the record, to be kept elsewhere',
  description: [
    'An anchor is one JSON object with the newest seal. Kept where an intruder cannot reach it, it shows later whether the end of the record was cut off or the whole was written anew: usher history verify --anchor.',
    'With --sign it also carries an Ed25519 signature, so that it can lie anywhere. A key pair is made by: openssl genpkey -algorithm ed25519 -out usherd.key; openssl pkey -in usherd.key -pubout -out usherd.pub',
  ],
  arguments: [],
  options: [{ flags: '--sign <file>', description: 'private key (PEM, Ed25519) to sign with', completes: 'file' }],
  examples: [
    { command: 'usher history anchor --sign usherd.key > anchor.json', does: 'A signed anchor of this moment.' },
  ],
  run: runHistoryAnchor,
};

async function runHistoryAnchor(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const anchor = await withHistory(caller, history => history.anchor(textOption(options, 'sign')));
  if (anchor === undefined) throw new UsherdError('NOT_FOUND', `${ledgerFile(caller)}: nothing is recorded yet`);
  printJson(caller, anchor);
  return 0;
}
