import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import test from 'ava';
import { readPlainWords } from '../../core/cli/plain-words.ts';
import { runProgram } from '../../core/cli/program.ts';
import type { OptionValues, Verb } from '../../core/cli/verb.ts';

/** A verb with every kind of option and argument. */
const VERB: Omit<Verb, 'run'> = {
  name: 'act',
  summary: 'acts',
  description: ['Acts.'],
  arguments: [
    { name: 'first', description: 'needed', isRequired: true },
    { name: 'rest', description: 'any number', isVariadic: true },
  ],
  options: [
    { flags: '-a, --all', description: 'a switch' },
    { flags: '-n, --dry-run', description: 'another' },
    { flags: '--no-colour', description: 'a switch that is on' },
    { flags: '-l, --limit <count>', description: 'a value' },
    { flags: '--sort <key>', description: 'a choice', choices: ['name', 'time'] },
    { flags: '-m, --module <name>', description: 'several', isRepeatable: true },
  ],
  examples: [],
};

/** What the full parser makes of the words; undefined when it has something to say about them. */
async function readFully(words: readonly string[]): Promise<{ args: unknown; values: OptionValues } | undefined> {
  let got: { args: unknown; values: OptionValues } | undefined;
  const verb: Verb = {
    ...VERB,
    run: (args, values) => {
      got = { args, values };
      return Promise.resolve(0);
    },
  };
  const quiet = new PassThrough();
  const host = { stdout: quiet, stderr: quiet, env: {}, uid: 1, signal: new AbortController().signal };
  await runProgram(['act', ...words], [verb], host);
  return got;
}

test('plain words are read as the full parser reads them', async t => {
  const words = ['-an', '--limit=5', 'x', '--no-colour', '-m', 'a', '--sort', 'time', '--module', 'b', 'y', '--json'];
  t.deepEqual(readPlainWords({ ...VERB, run: () => Promise.resolve(0) }, words), {
    args: ['x', 'y'],
    values: {
      all: true,
      dryRun: true,
      colour: false,
      limit: '5',
      sort: 'time',
      module: ['a', 'b'],
      json: true,
    },
  });
});

test('help, and all there is something to say about, is left to the full parser', t => {
  const verb = { ...VERB, run: () => Promise.resolve(0) };
  for (const words of [
    ['--help'],
    ['-h'],
    [],
    ['x', '--bogus'],
    ['x', '--sort', 'size'],
    ['x', '--sort', 'size', '--sort', 'name'],
    ['x', '--sort', '-', '--sort', 'name'],
    ['x', '--limit'],
    ['x', '-l', '-5'],
  ])
    t.is(readPlainWords(verb, words), undefined, words.join(' '));
});

test('whatever the words are, the two parsers agree wherever the quick one answers', async t => {
  const words =
    '- -- -a -an -l -l5 --limit --limit= --sort --no-colour -m --module=a --colour --all=1 --dry-run --root --json -h';
  const word = fc.constantFrom(...words.split(' '), ...'x y 5 -5 name size /r --kernel=6 --mod'.split(' '));
  const verb = { ...VERB, run: () => Promise.resolve(0) };
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async given => {
      const plain = readPlainWords(verb, given);
      if (plain === undefined) return;
      answered += 1;
      t.deepEqual(plain, await readFully(given), given.join(' '));
    }),
    { numRuns: 6000 },
  );
  t.true(answered > 50);
});
