/**
 * What a column holds, as row-content.ts writes it: `text` an id in `str`, `inline` a text that stands in the row, `either` one of the
 * two, `place` an id in `place`, `places` several of these, `number`, and `wide` a number that may not fit a double.
 */
export type ColumnKind = 'text' | 'inline' | 'either' | 'place' | 'places' | 'number' | 'wide';
export type Column = readonly [name: string, kind: ColumnKind];

/** A table whose rows have an `id` of the one sequence, and the tables that hang on it. */
export interface RowShape {
  readonly table: string;
  readonly columns: readonly Column[];
  readonly children: readonly ChildShape[];
}

export interface ChildShape {
  readonly table: string;
  /** The column with the parent's id. */
  readonly parent: string;
  readonly order: string;
  readonly columns: readonly Column[];
}

/** Every table the chain covers, in the order its fields are hashed. What is not here is made from it: tags and roll-ups. */
export const ROW_SHAPES: readonly RowShape[] = [
  {
    table: 'uevent',
    columns: [
      ['run', 'number'],
      ['at_ms', 'number'],
      ['seqnum', 'wide'],
      ['action', 'text'],
      ['devpath', 'text'],
      ['subsystem', 'text'],
      ['modalias', 'text'],
      ['driver', 'text'],
      ['origin', 'text'],
      ['origin_pid', 'number'],
      ['synth_uuid', 'text'],
      ['env_keys', 'text'],
      ['env_values', 'either'],
    ],
    children: [],
  },
  {
    table: 'decision',
    columns: [
      ['entry', 'number'],
      ['at_ms', 'number'],
      ['devpath', 'text'],
      ['subsystem', 'text'],
      ['modalias', 'text'],
      ['driver', 'text'],
      ['devtype', 'text'],
      ['devname', 'text'],
    ],
    children: [
      {
        table: 'candidate',
        parent: 'decision',
        order: 'pos',
        columns: [
          ['pos', 'number'],
          ['module', 'text'],
          ['match_module', 'text'],
          ['source', 'text'],
          ['pattern', 'text'],
          ['place', 'place'],
        ],
      },
      {
        table: 'judgement',
        parent: 'decision',
        order: 'pos',
        columns: [
          ['pos', 'number'],
          ['module', 'text'],
          ['verdict', 'inline'],
          ['winner', 'number'],
        ],
      },
      {
        table: 'opinion',
        parent: 'decision',
        // A winner that stands apart has the place -1 and is written last.
        order: 'judgement, pos < 0, pos',
        columns: [
          ['judgement', 'number'],
          ['pos', 'number'],
          ['verdict', 'inline'],
          ['module', 'text'],
          ['by', 'text'],
          ['reason', 'text'],
          ['place', 'place'],
          ['replacement', 'text'],
        ],
      },
      {
        table: 'plan',
        parent: 'decision',
        order: 'pos',
        columns: [
          ['pos', 'number'],
          ['target', 'text'],
        ],
      },
      {
        table: 'plan_step',
        parent: 'decision',
        order: 'plan, pos',
        columns: [
          ['plan', 'number'],
          ['pos', 'number'],
          ['kind', 'inline'],
          ['module', 'text'],
          ['role', 'inline'],
          ['needed_by', 'text'],
          ['required', 'number'],
          ['path', 'text'],
          ['command', 'text'],
          ['text', 'text'],
          ['place', 'place'],
          ['option_places', 'places'],
        ],
      },
    ],
  },
  {
    table: 'ending',
    columns: [
      ['entry', 'number'],
      ['at_ms', 'number'],
      ['result', 'inline'],
    ],
    children: [
      {
        table: 'outcome',
        parent: 'ending',
        order: 'pos',
        columns: [
          ['pos', 'number'],
          ['kind', 'inline'],
          ['module', 'text'],
          ['errno', 'inline'],
          ['text', 'text'],
          ['took_ms', 'number'],
        ],
      },
    ],
  },
  {
    table: 'bind',
    columns: [
      ['entry', 'number'],
      ['at_ms', 'number'],
      ['devpath', 'text'],
      ['driver', 'text'],
    ],
    children: [],
  },
  {
    table: 'incident',
    columns: [
      ['run', 'number'],
      ['at_ms', 'number'],
      ['kind', 'inline'],
      ['facts', 'inline'],
    ],
    children: [],
  },
  {
    table: 'request',
    columns: [
      ['run', 'number'],
      ['at_ms', 'number'],
      ['asker', 'inline'],
      ['asked', 'text'],
      ['uid', 'number'],
      ['devpath', 'text'],
    ],
    children: [],
  },
  {
    table: 'pending',
    columns: [
      ['entry', 'number'],
      ['at_ms', 'number'],
      ['facts', 'inline'],
    ],
    children: [],
  },
  {
    table: 'pending_end',
    columns: [
      ['pending', 'number'],
      ['at_ms', 'number'],
      ['how', 'inline'],
      ['uid', 'number'],
    ],
    children: [],
  },
  {
    table: 'run',
    columns: [
      ['boot_id', 'inline'],
      ['started_ms', 'number'],
      ['kernel', 'inline'],
      ['version', 'inline'],
      ['source', 'inline'],
      ['mode', 'inline'],
      ['modules_dir', 'inline'],
    ],
    children: [],
  },
  {
    table: 'run_end',
    columns: [
      ['run', 'number'],
      ['at_ms', 'number'],
      ['reason', 'inline'],
    ],
    children: [],
  },
];

/** Columns of a table that the chain covers, parent's id left out. */
export function columnsOf(table: string): readonly Column[] {
  const shapes = ROW_SHAPES.flatMap(shape => [shape, ...shape.children]);
  return shapes.find(shape => shape.table === table)?.columns ?? [];
}
