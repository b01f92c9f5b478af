import { globMatches, hasWildcard } from '../../../kmod/lookup/glob.ts';

/** Whether a text is matched. A pattern never takes longer than pattern × text. */
export type TextTest = (text: string) => boolean;

/**
 * The value of a match key → its test: shell patterns (fnmatch), `|` between alternatives, of which an empty one is the empty text.
 * Source: udev(7), "shell glob pattern matching and alternate patterns".
 */
export function compilePattern(value: string, { isCaseless = false } = {}): TextTest {
  const test = compileAlternatives(isCaseless ? value.toLowerCase() : value);
  return isCaseless ? text => test(text.toLowerCase()) : test;
}

function compileAlternatives(value: string): TextTest {
  if (value === '') return text => text === '';
  if (!value.includes('|')) return hasWildcard(value) ? compileGlob(value) : text => text === value;
  const alternatives = value.split('|');
  const plain = new Set(alternatives.filter(alternative => !hasWildcard(alternative)));
  const globs = alternatives.filter(hasWildcard).map(compileGlob);
  if (globs.length === 0) return text => plain.has(text);
  return text => plain.has(text) || globs.some(test => test(text));
}

/** The shapes nearly all patterns have are a compare; the others go through fnmatch once their beginning is right. */
function compileGlob(pattern: string): TextTest {
  if (pattern === '*') return () => true;
  if (pattern === '?*') return text => text !== '';
  const first = pattern.search(/[*?[\\]/);
  const beginning = pattern.slice(0, first);
  const rest = pattern.slice(first);
  if (rest === '*') return text => text.startsWith(beginning);
  if (rest === '?*') return text => text.length > first && text.startsWith(beginning);
  if (first === 0 && pattern.startsWith('*') && !hasWildcard(pattern.slice(1))) {
    const end = pattern.slice(1);
    return text => text.endsWith(end);
  }
  return text => text.startsWith(beginning) && globMatches(pattern, text, first, first);
}
