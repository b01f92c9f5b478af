import test from 'ava';
import * as fc from 'fast-check';
import { SECTION_MAX_BYTES, sectionsWith } from '../../../core/drivers/index/sections.ts';
import type { Problem } from '../../../core/vocabulary/place.ts';

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function sections(
  text: string,
  {
    separator = '\n\n',
    needles = ['x'],
    sizes = [7],
  }: { separator?: string; needles?: readonly string[]; sizes?: readonly number[] } = {},
): Promise<{ found: readonly string[]; lines: readonly number[]; problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const found: string[] = [];
  const lines: number[] = [];
  for await (const { bytes, line } of sectionsWith(inPieces(text, sizes), {
    separator,
    needles,
    file: 'index',
    problems,
  })) {
    found.push(bytes.toString());
    lines.push(line);
  }
  return { found, lines, problems };
}

test('only sections with one of the texts are given, each with its first line', async t => {
  const text = 'A: 1\nB: x\n\nA: 2\n\nA: 3\nx: 1\n\nA: 4\n';
  t.deepEqual(await sections(text), { found: ['A: 1\nB: x\n', 'A: 3\nx: 1\n'], lines: [1, 6], problems: [] });
  t.deepEqual((await sections(text, { needles: ['A: 2', 'A: 4'] })).lines, [4, 9]);
  t.deepEqual(await sections(text, { needles: ['y'] }), { found: [], lines: [], problems: [] });
});

test('documents of YAML and single lines are sections, too', async t => {
  t.deepEqual((await sections('a\n---\nb x\n---\nc\n', { separator: '\n---\n' })).found, ['b x\n']);
  t.deepEqual(await sections('a\nb x\nx\nc', { separator: '\n' }), {
    found: ['b x\n', 'x\n'],
    lines: [2, 3],
    problems: [],
  });
});

test('a section that is too long is left out and told, and those after it are given', async t => {
  const text = `x: 1\n\n${'long x\n'.repeat(SECTION_MAX_BYTES / 6)}\nx: 2\n\nx: 3\n`;
  const { found, problems } = await sections(text, { sizes: [65_536] });
  t.deepEqual(found, ['x: 1\n', 'x: 2\n', 'x: 3\n']);
  t.deepEqual(
    problems.map(({ place }) => place),
    [{ file: 'index', line: 3 }],
  );
});

test('however a text comes in pieces, its sections are those of the whole', async t => {
  const line = fc.constantFrom('x: 1', 'y: 2', 'Package: x', '', 'long line without it');
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      async (content, sizes) => {
        const text = content
          .join('\n')
          .replaceAll(/\n{3,}/g, '\n\n')
          .replace(/^\n+/, '');
        const wanted = text.split('\n\n').filter(section => section.includes('x'));
        const { found } = await sections(text, { sizes });
        return (
          JSON.stringify(found.map(each => each.replace(/\n$/, ''))) ===
          JSON.stringify(wanted.map(each => each.replace(/\n$/, '')))
        );
      },
    ),
  );
  t.pass();
});
