import { readFileSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import type { Anchor, AnchorCheck } from '../../pipeline/7-ledger/anchor.ts';
import type { ChainProblem, Verification } from '../../pipeline/7-ledger/verify.ts';
import { formatCount } from '../../pipeline/8-report/quantity.ts';
import { withHistory } from '../open-history.ts';
import { textOption } from '../option-values.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

/** The record is not as it was written. */
const TAMPERED_STATUS = 1;

export const historyVerify: Verb = {
  name: 'history verify',
  summary: 'check that no row of the record was altered, removed, added or moved',
  description: [
    'Compares every row with the digest it was sealed with, and every seal with the one before; then the tables that questions are answered from with the rows. Takes some five seconds per million rows.',
    'Whoever can write the file can also cut off its end, or write all of it anew with seals that agree. Only an anchor taken before and kept elsewhere shows that: see usher history anchor.',
  ],
  arguments: [],
  options: [
    { flags: '--anchor <file>', description: 'an anchor the record must agree with', completes: 'file' },
    {
      flags: '--key <file>',
      description: 'public key (PEM) the anchor and the prunings must be signed with',
      completes: 'file',
    },
  ],
  examples: [
    { command: 'usher history verify', does: 'Whether the record agrees with itself; the rows that do not are named.' },
    {
      command: 'usher history verify --anchor anchor.json --key usherd.pub',
      does: 'Whether it still has what it had when the anchor was taken.',
    },
  ],
  exitStatuses: { [TAMPERED_STATUS]: 'the record is not as it was written, or does not agree with the anchor' },
  run: runHistoryVerify,
};

const ANCHOR_TEXTS: Readonly<Record<AnchorCheck, string>> = {
  agrees: 'the record agrees with the anchor',
  differs: 'the record has other rows than when the anchor was taken',
  'cut-off': 'the record ends before the anchor: its newest rows were cut off',
  pruned: 'the rows of the anchor were pruned; the prunings are in the record',
  'bad-signature': 'the anchor is not signed with this key, or was altered',
  'not-signed': 'the anchor is not signed',
};

async function runHistoryVerify(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const anchorFile = textOption(options, 'anchor');
  const anchor = anchorFile === undefined ? undefined : await readAnchor(anchorFile);
  const { verification, check } = await withHistory(caller, history => ({
    verification: history.verify(textOption(options, 'key')),
    check: anchor && history.checkAnchor(anchor, textOption(options, 'key')),
  }));
  const isSound = verification.problemCount === 0 && (check === undefined || check === 'agrees' || check === 'pruned');
  if (caller.isJson) printJson(caller, { isSound, ...verification, anchor: check });
  else printLines(caller, tell(verification, check));
  return isSound ? 0 : TAMPERED_STATUS;
}

async function readAnchor(file: string): Promise<Anchor> {
  const { parseAnchor } = await import('../../pipeline/7-ledger/anchor.ts');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  const anchor = parseAnchor(text);
  if (anchor !== undefined) return anchor;
  throw new UsherdError('FILE_UNREADABLE', `${file}: wanted what usher history anchor prints`, { file });
}

function tell({ rows, seals, prunedRows, problems, problemCount }: Verification, check?: AnchorCheck): string[] {
  const pruned = prunedRows === 0 ? '' : `; ${formatCount(prunedRows, 'row')} pruned, as the record says`;
  const untold = problemCount - problems.length;
  return [
    ...problems.map(problemText),
    ...(untold > 0 ? [`and ${untold} more`] : []),
    problemCount === 0
      ? `every one of ${formatCount(rows, 'row')} is as it was written (${formatCount(seals, 'seal')}${pruned})`
      : `${formatCount(problemCount, 'problem')} in ${formatCount(rows, 'row')}: the record is not as it was written`,
    ...(check === undefined ? [] : [ANCHOR_TEXTS[check]]),
  ];
}

function problemText(problem: ChainProblem): string {
  switch (problem.kind) {
    case 'altered':
      return `row ${problem.id} (${problem.table}) was altered`;
    case 'removed':
      return `row ${problem.id} was removed`;
    case 'reordered':
      return `row ${problem.id} (${problem.table}) was moved: it was written as row ${problem.sealedAs}`;
    case 'added':
      return `row ${problem.id} (${problem.table}) was added by other hands`;
    case 'unlisted':
      return `row ${problem.id} is as it was written, but was taken out of what questions are answered from (${problem.table})`;
    case 'broken-chain':
      return `the seal of rows ${problem.first} to ${problem.last} does not follow from the one before: a seal was altered, removed or put in`;
    case 'pruned-unsigned':
      return `rows ${problem.first} to ${problem.last} were pruned, and that is not signed with this key`;
    case 'pruned-miscount':
      return `${problem.missing} rows are missing where prunings took ${problem.pruned}`;
    default:
      return '';
  }
}
