import test from 'ava';
import * as fc from 'fast-check';
import { logicalLines } from '../../../core/kmod/config/logical-lines.ts';
import { parseModprobeConf } from '../../../core/kmod/config/modprobe-conf.ts';

function place(line: number): unknown {
  return { file: 'a.conf', line };
}

function lines(text: string): string[] {
  return Array.from(logicalLines(text), ({ text: line, number }) => `${number}:${line}`);
}

test('each directive becomes a value with its place', t => {
  const text = [
    'alias usb:v1-* my-mod rest',
    'options my-mod a=1 b="x y"',
    '',
    'blacklist my-mod',
    'install my-mod /bin/true $CMDLINE_OPTS',
    'remove my-mod /bin/false',
    'softdep my-mod pre: a b post: c',
    'weakdep my-mod d e',
  ].join('\n');
  t.deepEqual(parseModprobeConf(text, 'a.conf') as unknown, {
    directives: [
      { kind: 'alias', pattern: 'usb:v1_*', module: 'my_mod', place: place(1) },
      { kind: 'options', module: 'my_mod', text: 'a=1 b="x y"', place: place(2) },
      { kind: 'blacklist', module: 'my_mod', place: place(4) },
      { kind: 'install', pattern: 'my_mod', command: '/bin/true $CMDLINE_OPTS', place: place(5) },
      { kind: 'remove', pattern: 'my_mod', command: '/bin/false', place: place(6) },
      { kind: 'softdep', module: 'my_mod', pre: ['a', 'b'], post: ['c'], place: place(7) },
      { kind: 'weakdep', module: 'my_mod', modules: ['d', 'e'], place: place(8) },
    ],
    problems: [],
  });
});

test('bad lines are named one by one and the good ones between them count', t => {
  const { directives, problems } = parseModprobeConf(
    'bogus x\nblacklist a\noptions b\nalias c] d\ninclude /etc\nblacklist e\n',
    'a.conf',
  );
  t.deepEqual(
    directives.map(directive => directive.place.line),
    [2, 6],
  );
  t.deepEqual(
    problems.map(({ place: { line }, message }) => `${line}: ${message}`),
    [
      '1: ignoring a bad line: found "bogus", wanted one of alias, options, blacklist, install, remove, softdep, weakdep',
      '3: ignoring a bad line: found "options b", wanted "options MODULE TEXT" with brackets in pairs',
      '4: ignoring a bad line: found "alias c] d", wanted "alias PATTERN MODULE" with brackets in pairs',
      '5: "include" is deprecated and not read any more',
    ],
  );
});

test('a backslash joins lines, and before any other character it goes', t => {
  t.deepEqual(lines('a\\\nb\nc\\d\\\\\n\ne\\'), ['1:ab', '3:cd\\', '4:', '5:e']);
  t.deepEqual(lines('one\\\n\\\ntwo\nthree'), ['1:onetwo', '4:three']);
  t.deepEqual(lines('x\\\n'), ['1:x']);
  t.deepEqual(lines(''), []);
});

test('any text is read to its end, and every line that says something is a directive or a problem', t => {
  const unit = fc.constantFrom(
    'alias ',
    'options ',
    'install ',
    'softdep ',
    '#',
    '\\',
    '\n',
    ' ',
    '\t',
    'a',
    '-',
    '[',
    ']',
    'pre:',
    '"',
    '\0',
    'é',
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), text => {
      const { directives, problems } = parseModprobeConf(text, 'x.conf');
      const said = Array.from(logicalLines(text)).filter(
        ({ text: line }) => !line.startsWith('#') && /[^ \t]/.test(line),
      );
      t.is(directives.length + problems.length, said.length);
    }),
    { numRuns: 1000 },
  );
});
