import test from 'ava';
import * as fc from 'fast-check';
import { parameterFindings, parameterWords } from '../../../core/pipeline/5-resolve/check-parameters.ts';

const HAS = [
  { name: 'a_level', type: 'int', description: '' },
  { name: 'on', type: 'bool', description: '' },
  { name: 'text', type: 'charp', description: '' },
  { name: 'list', type: 'array of int', description: '' },
  { name: 'odd', type: '', description: '' },
];

test('parameters are split as the kernel splits them', t => {
  t.deepEqual(parameterWords('a=1  b="two words" "c=in quotes" d e= f="open end'), [
    { name: 'a', value: '1' },
    { name: 'b', value: 'two words' },
    { name: 'c', value: 'in quotes' },
    { name: 'd', value: undefined },
    { name: 'e', value: '' },
    { name: 'f', value: 'open end' },
  ]);
});

test('what a module has and takes is nothing to speak of', t => {
  t.deepEqual(
    parameterFindings(HAS, 'a-level=0x10 on on=n text="two words" list=1,2 odd odd=x dyndbg=+p async-probe'),
    [],
  );
});

test('a parameter it has not, and a value that is none of its type, are said', t => {
  t.deepEqual(parameterFindings(HAS, `levle=1 a_level=many a_level list=1,x text=${'x'.repeat(1025)}`), [
    {
      kind: 'parameter',
      severity: 'warning',
      message: 'it has no parameter "levle", which the kernel passes over; it has a_level, on, text, list, odd',
    },
    {
      kind: 'parameter',
      severity: 'refusal',
      message: 'its parameter a_level: found "many", wanted a whole number (int)',
    },
    { kind: 'parameter', severity: 'refusal', message: 'its parameter a_level: found no value, wanted one (int)' },
    {
      kind: 'parameter',
      severity: 'refusal',
      message: 'its parameter list: item 2: found "x", wanted a whole number (int)',
    },
    { kind: 'parameter', severity: 'refusal', message: 'its parameter text: found 1025 bytes, wanted at most 1024' },
  ]);
  t.deepEqual(
    parameterFindings([], 'x').map(({ message }) => message),
    ['it has no parameter "x", which the kernel passes over; it has none'],
  );
});

test('any text is split to its end', t => {
  fc.assert(
    fc.property(fc.string(), text => {
      const words = parameterWords(text);
      t.true(words.every(({ name, value = '' }) => name.length + value.length <= text.length));
    }),
  );
});
