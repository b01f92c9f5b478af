/** A line as modprobe.d(5) sees it: several lines of the file joined, backslashes gone. */
export interface LogicalLine {
  readonly text: string;
  /** Number, from 1, of the line it begins on. */
  readonly number: number;
}

/**
 * A configuration file → its logical lines. A backslash before a newline joins the two lines; before any other character it
 * is dropped and the character kept. This goes for every line, comments too. Source: kmod shared/util.c, freadline_wrapped.
 */
export function* logicalLines(text: string): Generator<LogicalLine> {
  let number = 1;
  let at = 0;
  while (at < text.length) {
    const beginsOn = number;
    let line = '';
    for (;;) {
      const newline = text.indexOf('\n', at);
      const lineEnd = newline < 0 ? text.length : newline;
      const backslash = text.indexOf('\\', at);
      if (backslash < 0 || backslash >= lineEnd) {
        line += text.slice(at, lineEnd);
        at = lineEnd + 1;
        number++;
        break;
      }
      line += text.slice(at, backslash);
      const next = text.charAt(backslash + 1);
      if (next === '\n') number++;
      else line += next;
      at = backslash + 2;
      if (at >= text.length + 1 || (at === text.length && next === '\n')) break;
    }
    yield { text: line, number: beginsOn };
  }
}
