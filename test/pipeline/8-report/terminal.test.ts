import test from 'ava';
import * as fc from 'fast-check';
import { cutMiddle, displayWidth } from '../../../core/pipeline/8-report/display-width.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRelative,
  formatTime,
} from '../../../core/pipeline/8-report/quantity.ts';
import { formatTable } from '../../../core/pipeline/8-report/table.ts';
import { escapeForTerminal, PLAIN, span, terminalOf, writeSpans } from '../../../core/pipeline/8-report/terminal.ts';

process.env['TZ'] = 'UTC';

test('what a terminal obeys is shown as text', t => {
  const shown: readonly (readonly [string, string])[] = [
    ['plain text, Ünïcödé, 漢字', 'plain text, Ünïcödé, 漢字'],
    ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a\r\nb\tc\0d\u007f', 'a\\x0d\\x0ab\\x09c\\x00d\\x7f'],
    ['\u009b2J', '\\x9b2J'],
    ['invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
    ['\u2066x\u2069\u200f\u061c\u2028\ufeff', '\\u2066x\\u2069\\u200f\\u061c\\u2028\\ufeff'],
    ['half \ud83d pair, whole 🖱', 'half \\ud83d pair, whole 🖱'],
  ];
  t.deepEqual(
    shown.map(([text]) => escapeForTerminal(text)),
    shown.map(([, text]) => text),
  );
});

test('no text leaves a control or bidirectional sign after escaping, and escaped text stays as it is', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const escaped = escapeForTerminal(text);
      t.notRegex(escaped, /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f]/u);
      t.is(escapeForTerminal(escaped), escaped);
    }),
  );
});

test('colours are for terminals, unless NO_COLOR says no', t => {
  const tty = { isTTY: true, columns: 100 };
  t.deepEqual(terminalOf(tty, { LANG: 'de_DE.UTF-8' }), { hasColour: true, isUtf8: true, width: 100 });
  t.deepEqual(terminalOf(tty, { LANG: 'C.utf8', NO_COLOR: '1' }), { hasColour: false, isUtf8: true, width: 100 });
  t.deepEqual(terminalOf(tty, { LANG: 'C.UTF-8', LC_ALL: 'C', TERM: 'dumb' }), {
    hasColour: false,
    isUtf8: false,
    width: 100,
  });
  t.deepEqual(terminalOf({}, { LC_CTYPE: 'C.UTF-8' }), { hasColour: false, isUtf8: true });
});

test('a style wraps text that was escaped before', t => {
  const colourful = { hasColour: true, isUtf8: true };
  t.is(writeSpans([span('bad', 'no\u001b[0m'), ' way'], colourful), '\u001b[31mno\\x1b[0m\u001b[39m way');
  t.is(writeSpans([span('bad', 'no\u001b[0m'), ' way'], PLAIN), 'no\\x1b[0m way');
});

test('width counts columns, not signs', t => {
  t.deepEqual(['abc', 'é', 'e\u0301', '漢字', '😀x', ''].map(displayWidth), [3, 1, 1, 4, 3, 0]);
});

test('text with its middle left out is never wider than asked, and both its ends are the text', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 30 }), (raw, width) => {
      const text = escapeForTerminal(raw);
      const cut = cutMiddle(text, width, '…');
      t.true(displayWidth(cut) <= Math.max(width, 1));
      if (cut === text) return;
      const [head = '', tail = ''] = cut.split('…', 2);
      t.true(text.startsWith(head) && (text.includes('…') || text.endsWith(tail)));
    }),
  );
});

test('a table of nothing is its titles, and cells of wide signs line up', t => {
  const columns = [{ title: 'A' }, { title: 'COUNT', align: 'right' }, { title: 'B' }] as const;
  t.deepEqual(formatTable(columns, [], PLAIN), ['A  COUNT  B']);
  t.deepEqual(
    formatTable(
      columns,
      [
        ['漢字', '7', 'x'],
        ['ab', '1234567', 'y\n'],
      ],
      PLAIN,
    ),
    ['A       COUNT  B', '漢字        7  x', 'ab    1234567  y\\x0a'],
  );
});

test('times, durations and counts read as people say them', t => {
  t.is(formatTime(1_795_413_700_123.456), '2026-11-23 06:01:40.123+00:00');
  t.deepEqual([0.0004, 0.85, 3.25, 250, 1500, 125_000, 7_200_000, 93_784_000].map(formatDuration), [
    '0 µs',
    '850 µs',
    '3.3 ms',
    '250 ms',
    '1.50 s',
    '2 min 5 s',
    '2 h',
    '1 day 2 h',
  ]);
  t.deepEqual(
    [0, 12_000, 300_000, 86_400_000, 260_000_000, -5000].map(apart => formatRelative(1e12 - apart, 1e12)),
    ['just now', '12 s ago', '5 min ago', '24 h ago', '3 days ago', 'in 5 s'],
  );
  t.deepEqual([formatCount(1, 'event'), formatCount(50_000, 'event')], ['1 event', '50,000 events']);
  t.deepEqual([1, 1023, 12_595, 1_771_674_009].map(formatBytes), ['1 byte', '1,023 bytes', '12.3 KiB', '1.6 GiB']);
});
