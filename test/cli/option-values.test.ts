import test from 'ava';
import { countOption, listOption, parseMoment } from '../../core/cli/option-values.ts';
import { UsherdError } from '../../core/errors.ts';

const NOW = new Date(2026, 10, 23, 14, 5, 0).getTime();

const moment = test.macro({
  exec: (t, text: string, expected: Date) => {
    t.is(parseMoment(text, '--since', NOW), expected.getTime());
  },
  title: (_title, text: string) => `"${text}" is a moment`,
});

test(moment, 'now', new Date(2026, 10, 23, 14, 5));
test(moment, '15m', new Date(2026, 10, 23, 13, 50));
test(moment, '2h ago', new Date(2026, 10, 23, 12, 5));
test(moment, '1w', new Date(2026, 10, 16, 14, 5));
test(moment, 'today', new Date(2026, 10, 23));
test(moment, 'yesterday', new Date(2026, 10, 22));
test(moment, '2026-11-20', new Date(2026, 10, 20));
test(moment, '2026-11-20 08:30', new Date(2026, 10, 20, 8, 30));
test(moment, '2026-11-20T08:30:00Z', new Date(Date.UTC(2026, 10, 20, 8, 30)));
test(moment, '@1700000000', new Date(1_700_000_000_000));

test('what is no moment is refused with what was found and what is wanted', t => {
  const error = t.throws(() => parseMoment('teatime', '--since', NOW), { instanceOf: UsherdError });
  t.is(error.code, 'USAGE');
  t.is(
    error.message,
    '--since has "teatime", wanted a date (2026-11-23 14:05), a time ago (15m, 2h, 3d), today or yesterday',
  );
});

test('a count is a whole number in its range, or refused', t => {
  const limits = { flag: '--limit', min: 1, max: 10 };
  t.is(countOption({ limit: '7' }, 'limit', limits), 7);
  t.is(countOption({}, 'limit', limits), undefined);
  for (const bad of ['0', '11', '-3', '1.5', 'ten', '']) {
    t.throws(() => countOption({ limit: bad }, 'limit', limits), {
      message: /^--limit has ".*", wanted a whole number from 1 to 10$/,
    });
  }
});

test('an option given once or several times is a list', t => {
  t.deepEqual(listOption({ a: 'x' }, 'a'), ['x']);
  t.deepEqual(listOption({ a: ['x', 'y'] }, 'a'), ['x', 'y']);
  t.deepEqual(listOption({}, 'a'), []);
});
