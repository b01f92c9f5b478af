/**
 * MODPROBE_OPTIONS → the words it stands for: blanks separate, unless they stand between `'…'` or `"…"`, which are left out. A quote
 * that nothing closes is a character like any other. Source: modprobe(8), ENVIRONMENT.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const end = char === '"' || char === "'" ? text.indexOf(char, at + 1) : -1;
    if (end >= 0) {
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (char === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}
