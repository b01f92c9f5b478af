/**
 * The value of PROGRAM, RUN or IMPORT{program} → the program and its arguments. Blanks separate, but not between quotes, single or
 * double, which are taken away; a backslash is a character like any other. No shell has a part in it.
 * Source: udev(7), RUN; systemd, udev_event_spawn.
 */
export function commandWords(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const sign of command) {
    if (quote !== '') {
      if (sign === quote) quote = '';
      else word += sign;
    } else if (sign === '"' || sign === "'") {
      quote = sign;
      word ??= '';
    } else if (sign === ' ' || sign === '\t' || sign === '\n' || sign === '\r') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + sign;
  }
  if (word !== undefined) words.push(word);
  return words;
}
