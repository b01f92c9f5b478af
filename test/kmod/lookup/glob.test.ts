import test from 'ava';
import * as fc from 'fast-check';
import { globMatches } from '../../../core/kmod/lookup/glob.ts';
import { normaliseAlias } from '../../../core/kmod/lookup/normalise-alias.ts';

const CASES: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbbd', false],
  ['*/.x', 'a/b/.x', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['[!a]', 'b', true],
  ['[!a]', 'a', false],
  ['[^a]', 'b', true],
  ['[]]', ']', true],
  ['[a-]', '-', true],
  ['[', '[', true],
  ['[ab', '[ab', true],
  [String.raw`\*`, '*', true],
  [String.raw`\*`, 'a', false],
  [String.raw`a\bc`, 'abc', true],
  ['a\\', 'a\\', false],
  ['*a*a*a*', 'aaa', true],
  ['*a*a*a*', 'aa', false],
];

for (const [pattern, text, matches] of CASES) {
  test(`the pattern "${pattern}" ${matches ? 'takes' : 'does not take'} "${text}", as in fnmatch(3)`, t => {
    t.is(globMatches(pattern, text), matches);
  });
}

test('a pattern made to go wrong is decided in one sweep', t => {
  t.false(globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(2000)));
});

/** The same by brute force, for short texts. */
function slowMatches(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*'))
    return slowMatches(pattern.slice(1), text) || (text !== '' && slowMatches(pattern, text.slice(1)));
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && slowMatches(pattern.slice(1), text.slice(1));
}

test('stars and question marks match as they do by brute force', t => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(fc.property(pattern, text, (p, x) => globMatches(p, x) === slowMatches(p, x)));
  t.pass();
});

test('an alias is normalised outside of its brackets, and refused when they are not in pairs', t => {
  t.deepEqual(['usb-storage', 'a[b-c]d-e', 'a]b', 'a[b-c', 'a[]b]', 'plain', '[a-z][0-9]-'].map(normaliseAlias), [
    'usb_storage',
    'a[b-c]d_e',
    undefined,
    undefined,
    undefined,
    'plain',
    '[a-z][0-9]_',
  ]);
});
