import { styleText } from 'node:util';

/** Where text goes: a stream of Node's, or what writes at once. `done` is called when it is written, or cannot be. */
export interface Output {
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
  write(content: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
}

/** How to write for whoever reads: colours, line drawing and width. */
export interface Terminal {
  readonly hasColour: boolean;
  /** Whether line drawing and `…` can be shown; else ASCII stands in. */
  readonly isUtf8: boolean;
  /** Columns; absent when the text goes to a file or pipe, where nothing is cut. */
  readonly width?: number;
}

/** No colours, no width: what a pipe gets on a UTF-8 system. */
export const PLAIN: Terminal = { hasColour: false, isUtf8: true };

/** Meanings, not colours, so that each stands for one thing everywhere. */
export type Style = 'good' | 'bad' | 'warning' | 'name' | 'faint' | 'title';
const COLOURS = {
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  name: 'cyan',
  faint: 'dim',
  title: 'bold',
} as const;

/** A piece of a line; its text is data and is escaped when it is written. */
export type Span = string | { readonly text: string; readonly style: Style };

export function span(style: Style, text: string): Span {
  return { text, style };
}

export function spanText(piece: Span): string {
  return typeof piece === 'string' ? piece : piece.text;
}

/**
 * A stream and the environment → how to write to it. Colours only on a terminal and without NO_COLOR (no-color.org); line drawing
 * when the locale's character set is UTF-8 (LC_ALL beats LC_CTYPE beats LANG, locale(7)).
 */
export function terminalOf(
  stream: Pick<Output, 'isTTY' | 'columns'>,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isTty = stream.isTTY === true && env['TERM'] !== 'dumb';
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(each => each !== undefined && each !== '') ?? '';
  const isUtf8 = /utf-?8/i.test(locale);
  const hasColour = isTty && (env['NO_COLOR'] ?? '') === '';
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0
    ? { hasColour, isUtf8, width: stream.columns }
    : { hasColour, isUtf8 };
}

/** Spans → text for this terminal: escaped, then styled. */
export function writeSpans(spans: readonly Span[], terminal: Terminal): string {
  return spans
    .map(piece => {
      const text = escapeForTerminal(spanText(piece));
      if (typeof piece === 'string' || !terminal.hasColour) return text;
      return styleText(COLOURS[piece.style], text, { validateStream: false });
    })
    .join('');
}

// C0, DEL, C1; bidirectional controls and marks, line and paragraph separators, BOM; halves of surrogate pairs.
// oxlint-disable-next-line no-control-regex -- control bytes are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]/gu;

/**
 * Any text → the same with everything a terminal would obey, or that would turn the reading order round, made visible: `\x1b`,
 * `\u202e`. A device's product name must not be able to write a line of ours.
 */
export function escapeForTerminal(text: string): string {
  return text.replaceAll(UNSAFE, sign => {
    const code = sign.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
