import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { ERRORS } from '../../core/errors.ts';

const top = path.resolve(import.meta.dirname, '../..');
const sources = globSync(['core/**/*.{ts,c,h}', 'plugins/**/*.ts', 'contrib/**/*', 'test/**/*.ts', '*.md', '.ci/run'], {
  cwd: top,
  withFileTypes: false,
})
  .filter(file => /\.(ts|c|h|md|sh)$|\/(run|mask|setup|watch)$/.test(file))
  .map(file => ({ file, text: readFileSync(path.join(top, file), 'utf8') }));

/** Files in which a pattern stands, this one left out because it names them all. */
function filesWith(pattern: RegExp): readonly string[] {
  return sources
    .filter(({ file, text }) => !file.endsWith('tidy.test.ts') && pattern.test(text))
    .map(({ file }) => file);
}

test('nothing is left for later in the sources', t => {
  t.deepEqual(filesWith(/\b(TODO|FIXME|XXX|HACK)\b/), []);
});

test('no test runs alone', t => {
  t.deepEqual(filesWith(/\btest(\.serial)?\.only\(/), []);
});

test('no address of a registry and no path of a home folder is in the project', t => {
  t.deepEqual(filesWith(/registry\.npmjs|deb\.debian\.org|\/root\/\.|\/home\/[a-z]+\//), []);
});

test('every error of the table is thrown somewhere', t => {
  const core = sources
    .filter(({ file }) => file.startsWith('core/') && file !== 'core/errors.ts')
    .map(({ text }) => text)
    .join('\n');
  t.deepEqual(
    Object.keys(ERRORS).filter(code => !core.includes(`'${code}'`)),
    [],
  );
});

test('longest files, to be seen before they are too long', t => {
  const longest = sources
    .filter(({ file }) => file.startsWith('core/'))
    .map(({ file, text }) => `${text.split('\n').length} ${file}`)
    .toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
  t.log(longest.slice(0, 8).join('\n'));
  t.true(longest.length > 50);
});
