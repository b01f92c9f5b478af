import { spawn } from 'node:child_process';
import { UsherdError } from '../../errors.ts';
import { VIEWS } from '../../pipeline/7-ledger/views.ts';
import { formatCount } from '../../pipeline/8-report/quantity.ts';
import { withHistory } from '../open-history.ts';
import { countOption } from '../option-values.ts';
import { printLines } from '../output.ts';
import { printRecords, RECORD_OPTIONS } from '../print-records.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

/** A question that takes longer is most likely one that goes through all events by mistake. */
const TIME_LIMIT_S = 30;
const TIME_LIMIT_MAX_S = 86_400;
const ROW_LIMIT = 10_000;
const ROW_LIMIT_MAX = 10_000_000;

export const historySql: Verb = {
  name: 'history sql',
  summary: 'answer a SELECT over the record',
  description: [
    'SQLite over these views, which are a stable interface: a column may be added, none goes. Times ending in _ms are milliseconds since 1970, those called at are ISO 8601 in UTC. Nothing can be changed by it.',
    ...VIEWS.map(
      ({ name, description, columns }) => `${name}: ${description} Columns: ${columns.replaceAll(' ', ', ')}.`,
    ),
  ],
  arguments: [{ name: 'select', description: 'one SELECT statement; without it the views are listed' }],
  options: [
    { flags: '--time-limit <seconds>', description: `stop after so long; 0 for never, else ${TIME_LIMIT_S}` },
    { flags: '-n, --limit <count>', description: `print at most so many rows; ${ROW_LIMIT} unless said` },
    ...RECORD_OPTIONS,
  ],
  examples: [
    {
      command: `usher history sql "SELECT module, count(*) FROM loads WHERE outcome = 'refused' GROUP BY module"`,
      does: 'What the kernel refused, by module.',
    },
  ],
  run: runHistorySql,
};

async function runHistorySql([select]: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  if (select === undefined) {
    printRecords(
      VIEWS.map(({ name, description, columns }) => ({ name, description, columns: columns.split(' ') })),
      [
        { field: 'name', title: 'VIEW', value: ({ name }) => name },
        { field: 'description', title: 'WHAT IT HAS', value: ({ description }) => description },
      ],
      options,
      caller,
    );
    return 0;
  }
  const limitS =
    countOption(options, 'timeLimit', { flag: '--time-limit', min: 0, max: TIME_LIMIT_MAX_S }) ?? TIME_LIMIT_S;
  if (limitS > 0) return answerElsewhere(limitS, caller);
  const maxRows = countOption(options, 'limit', { flag: '--limit', min: 1, max: ROW_LIMIT_MAX }) ?? ROW_LIMIT;
  const { columns, rows, isCut } = await withHistory(caller, history => history.sql(select, maxRows));
  const items = rows.map(row => Object.fromEntries(columns.map((name, n) => [name, row[n]])));
  printRecords(
    items,
    columns.map(name => ({ field: name, title: name, value: item => item[name] ?? undefined })),
    options,
    caller,
  );
  if (isCut) caller.stderr.write(`usher: there is more; --limit has it stop after ${formatCount(maxRows, 'row')}\n`);
  else if (items.length === 0 && !caller.isJson) printLines(caller, ['no rows']);
  return 0;
}

/** SQLite answers in one go, which nothing in this process can interrupt: the same command in a process of its own can be ended. */
async function answerElsewhere(limitS: number, { signal, stderr }: Caller): Promise<number> {
  const words = [...process.execArgv, ...process.argv.slice(1), '--time-limit', '0'];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, limitS * 1000);
  signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  clearTimeout(timer);
  if (isLate) throw new UsherdError('TIMED_OUT', `the question was not answered after ${limitS} s (--time-limit)`);
  if (status === null) stderr.write('usher: the question was interrupted\n');
  return status ?? 1;
}
