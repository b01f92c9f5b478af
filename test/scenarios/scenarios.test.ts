import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { usher } from '../support/usher.ts';

const here = import.meta.dirname;
const top = path.resolve(here, '../..');

/**
 * A scenario is a folder named by a sentence that stays true: events.uevents is played over root/ and what is printed is expected.txt.
 * `npm run golden` rewrites those, and `git diff` is the review.
 */
async function play(folder: string, recording: string): Promise<string> {
  const root = path.join(folder, 'root');
  const { stdout, stderr, status } = await usher('replay', path.join(folder, recording), '--root', root);
  const printed = `${stdout}${stderr === '' ? '' : `--- standard error\n${stderr}`}${status === 0 ? '' : `--- exit status ${status}\n`}`;
  return printed.replaceAll(root, '').replaceAll(`${folder}/`, '');
}

const scenarios = [
  ...readdirSync(here, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => ({
      name: name.replaceAll('-', ' '),
      folder: path.join(here, name),
      recording: 'events.uevents',
    })),
  { name: 'the demonstration', folder: path.join(top, 'contrib/demo'), recording: 'demo.uevents' },
];

for (const { name, folder, recording } of scenarios) {
  test(name, async t => {
    const printed = await play(folder, recording);
    const file = path.join(folder, 'expected.txt');
    if (process.env['USHERD_GOLDEN'] === '1') writeFileSync(file, printed);
    t.true(existsSync(file), `${file} is missing: npm run golden`);
    t.is(printed, readFileSync(file, 'utf8'));
  });
}
