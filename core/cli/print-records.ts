import { formatCsv, plainText } from '../pipeline/8-report/csv.ts';
import { formatTable, type Column } from '../pipeline/8-report/table.ts';
import type { Span } from '../pipeline/8-report/terminal.ts';
import { printJson, printLines, terminal } from './output.ts';
import { isSet } from './option-values.ts';
import type { Caller, OptionSpec, OptionValues } from './verb.ts';

/** How a list of records is printed; --json is there for every verb. */
export const RECORD_OPTIONS: readonly OptionSpec[] = [
  { flags: '--csv', description: 'comma-separated values with a line of titles (RFC 4180)' },
  { flags: '--table', description: 'a table for people, which is the default; beats --csv and --json' },
];

/** A column: the record's field, its title, and how a person reads the value. */
export interface RecordColumn<Item> extends Column {
  readonly field: string;
  readonly value: (item: Item) => unknown;
  readonly shown?: (item: Item) => Span;
}

/** Which of the three forms was asked for. */
export function recordForm(options: OptionValues, { isJson }: Caller): 'table' | 'csv' | 'json' {
  if (isSet(options, 'table')) return 'table';
  if (isSet(options, 'csv')) return 'csv';
  return isJson ? 'json' : 'table';
}

/** Prints records in the form asked for; JSON has each item as it is, a line each. */
export function printRecords<Item>(
  items: readonly Item[],
  columns: readonly RecordColumn<Item>[],
  options: OptionValues,
  caller: Caller,
): void {
  switch (recordForm(options, caller)) {
    case 'json':
      for (const item of items) printJson(caller, item);
      return;
    case 'csv': {
      const rows = items.map(item => columns.map(({ value }) => value(item)));
      printLines(
        caller,
        formatCsv(
          columns.map(({ field }) => field),
          rows,
        ),
      );
      return;
    }
    case 'table': {
      const rows = items.map(item =>
        columns.map(({ value, shown }): Span => {
          const cell = value(item);
          return shown === undefined ? plainText(cell) : shown(item);
        }),
      );
      printLines(caller, formatTable(columns, rows, terminal(caller)));
    }
  }
}
