import * as fc from 'fast-check';
import test from 'ava';
import { parameterProblem } from '../../../core/pipeline/5-resolve/check-parameter.ts';

test('values of their type give nothing to say', t => {
  const good: readonly (readonly [string, string])[] = [
    ['int', '-1'],
    ['int', '0x7fffffff'],
    ['uint', '4294967295'],
    ['short', '-32768'],
    ['byte', '0377'],
    ['ulong', '18446744073709551615'],
    ['hexint', 'ff'],
    ['bool', 'Y'],
    ['bool', 'off'],
    ['invbool', '0'],
    ['charp', 'any thing'],
    ['array of int', '1,-2,0x3'],
    ['a type of its own', 'x'],
  ];
  t.deepEqual(
    good.map(([type, value]) => parameterProblem(type, value)),
    good.map(() => undefined),
  );
});

test('a value that is not of its type is said with what was wanted', t => {
  t.is(parameterProblem('int', 'much'), 'found "much", wanted a whole number (int)');
  t.is(parameterProblem('int', ''), 'found "", wanted a whole number (int)');
  t.is(parameterProblem('uint', '-1'), 'found -1, wanted 0 to 4294967295 (uint)');
  t.is(parameterProblem('byte', '256'), 'found 256, wanted 0 to 255 (byte)');
  t.is(parameterProblem('bool', '2'), 'found "2", wanted Y or N (1 or 0, on or off)');
  t.is(parameterProblem('array of ushort', '1,70000'), 'item 2: found 70000, wanted 0 to 65535 (ushort)');
});

test('every whole number of an int is taken, and none beyond', t => {
  fc.assert(fc.property(fc.integer(), number => parameterProblem('int', String(number)) === undefined));
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 31n, max: 2n ** 70n }), number => {
      return (
        parameterProblem('int', String(number)) !== undefined &&
        parameterProblem('int', String(-number - 1n)) !== undefined
      );
    }),
  );
  t.pass();
});

test('no text makes the check fail', t => {
  const types = fc.constantFrom('int', 'bool', 'byte', 'hexint', 'charp', 'array of int', 'array of array of bool', '');
  fc.assert(
    fc.property(types, fc.string(), (type, value) => {
      parameterProblem(type, value);
    }),
  );
  t.pass();
});
