import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { checkRules } from '../../../../core/pipeline/4-policy/rules/check-rules.ts';
import { formatRules } from '../../../../core/pipeline/4-policy/rules/format-rules.ts';
import { KEYS, LINE_MAX_BYTES, OPERATORS } from '../../../../core/pipeline/4-policy/rules/language.ts';
import { parseRules } from '../../../../core/pipeline/4-policy/rules/parse-rules.ts';
import { tokenText } from '../../../../core/pipeline/4-policy/rules/token-text.ts';
import { formatProblem } from '../../../../core/vocabulary/place.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../fixtures/rules');

/** Keys, values and what they mean, without places. */
function meaning(text: string): readonly (readonly string[])[] {
  return parseRules(text, 'x.rules').rules.map(({ tokens }) => tokens.map(tokenText));
}

for (const file of globSync(`${fixtures}/good/*.rules`)) {
  test(`${path.basename(file)} is read without a problem, and means the same once it is formatted`, t => {
    const text = readFileSync(file, 'utf8');
    t.deepEqual(parseRules(text, file).problems, []);
    const formatted = formatRules(text);
    t.deepEqual(meaning(formatted), meaning(text));
    t.is(formatRules(formatted), formatted);
  });
}

for (const file of globSync(`${fixtures}/bad/*.rules`)) {
  test(`each line of ${path.basename(file)} is told with its place and what to write`, t => {
    const told = checkRules(readFileSync(file, 'utf8'), path.basename(file)).map(
      problem =>
        `${problem.severity} ${formatProblem(problem)}${problem.suggestion === undefined ? '' : ` -> ${problem.suggestion}`}\n`,
    );
    const expected = file.replace(/\.rules$/, '.txt');
    if (process.env['USHERD_GOLDEN'] === '1') writeFileSync(expected, told.join(''));
    t.is(told.join(''), readFileSync(expected, 'utf8'));
  });
}

test('a rule cut off anywhere leaves the rules before it as they are', t => {
  const text = readFileSync(path.join(fixtures, 'good/every-key.rules'), 'utf8');
  const whole = meaning(text);
  for (let end = 0; end < text.length; end += 7) {
    const cut = meaning(text.slice(0, end));
    // The line that was cut may be read in part, or have lost its GOTO's LABEL.
    t.deepEqual(cut.slice(1, -1), whole.slice(1, Math.max(cut.length - 1, 1)));
  }
});

test('a line longer than is read of one is left out whole, and the next is read', t => {
  const text = `KERNEL=="${'a'.repeat(LINE_MAX_BYTES)}", TAG+="a"\nKERNEL=="b", TAG+="b"\n`;
  const { rules, problems } = parseRules(text, 'x.rules');
  t.deepEqual(
    problems.map(({ message }) => message),
    [`the line is longer than ${LINE_MAX_BYTES} bytes; the rule is left out`],
  );
  t.deepEqual(
    rules.map(({ tokens }) => tokens.map(tokenText)),
    [['KERNEL=="b"', 'TAG+="b"']],
  );
});

test('hostile lines are read in time that grows with their length only', t => {
  const hostile = [
    '"'.repeat(16_000),
    '{'.repeat(16_000),
    'A'.repeat(16_000),
    'ATTR{'.repeat(3000),
    'K=="'.repeat(4000),
    `K==e"${'\\'.repeat(15_000)}x`,
  ];
  for (const line of hostile) t.is(parseRules(`${line}\nKERNEL=="b", TAG+="b"\n`, 'x.rules').rules.length, 1);
  const many = 'KERNEL=="b", GOTO="x"\n'.repeat(20_000);
  t.is(parseRules(many, 'x.rules').rules.length, 20_000);
});

const pair = fc
  .tuple(
    fc.constantFrom(...KEYS.map(({ name }) => name), 'NOKEY'),
    fc.option(fc.constantFrom('size', 'program', 'builtin', 'module', ''), { nil: undefined }),
    fc.constantFrom(...OPERATORS),
    fc.constantFrom('"', 'e"', 'i"', 'ei"', ''),
    fc.string({ maxLength: 12 }),
  )
  .map(([key, attribute, operator, quote, value]) => {
    const braces = attribute === undefined ? '' : `{${attribute}}`;
    return `${key}${braces}${operator}${quote}${value}${quote === '' ? '' : '"'}`;
  });
const ruleText = fc
  .array(
    fc.array(pair, { maxLength: 5 }).map(pairs => pairs.join(', ')),
    { maxLength: 6 },
  )
  .map(lines => lines.join('\n'));

test('nothing that is written makes the parser throw, and each problem stands in the file', t => {
  fc.assert(
    fc.property(fc.oneof(ruleText, fc.string({ unit: 'binary', maxLength: 200 })), text => {
      const lines = text.split(/\r?\n|\0/).length;
      return checkRules(text, 'x').every(({ place: { line = 0 } }) => line >= 1 && line <= lines);
    }),
  );
  t.pass();
});

test('formatting changes no meaning, and formatting twice is formatting once', t => {
  fc.assert(
    fc.property(ruleText, text => {
      const formatted = formatRules(text);
      t.deepEqual(meaning(formatted), meaning(text));
      t.is(formatRules(formatted), formatted);
    }),
  );
});
