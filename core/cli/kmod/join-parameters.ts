/**
 * Words of a command line → one text of parameters, as the kernel takes them: a value with a blank in it is put between double
 * quotes unless it begins with a quote. Source: modprobe(8), kmod tools/modprobe.c, options_from_array.
 */
export function joinParameters(words: readonly string[]): string {
  return words.map(quoteValue).join(' ');
}

function quoteValue(word: string): string {
  const equals = word.indexOf('=');
  const value = word.slice(equals + 1);
  if (equals < 0 || value.startsWith('"') || value.startsWith("'") || !value.includes(' ')) return word;
  return `${word.slice(0, equals + 1)}"${value}"`;
}
