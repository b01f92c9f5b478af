import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { KEPT_PAGES } from '../../contrib/dev/kept-pages.ts';
import { makePages } from '../../core/cli/verbs/docs.ts';
import { VERBS } from '../../core/cli/verbs.ts';
import { ERRORS } from '../../core/errors.ts';
import { whyNoProgram } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const top = path.resolve(import.meta.dirname, '../..');
const pages = await makePages(VERBS);

for (const [name, file] of Object.entries(KEPT_PAGES)) {
  test(`${file} is what the code makes of it (npm run docs)`, t => {
    t.is(pages[name]?.(), readFileSync(path.join(top, file), 'utf8'));
  });
}

test('every page that is made is kept', t => {
  t.deepEqual(Object.keys(pages).toSorted(), Object.keys(KEPT_PAGES).toSorted());
});

test('every verb has a place in the manual and in each completion', t => {
  for (const { name } of VERBS) {
    t.regex(pages['usher.1']?.() ?? '', new RegExp(`^\\.SS usher ${name}`, 'm'));
    for (const shell of ['bash', 'zsh', 'fish']) t.true(pages[shell]?.().includes(name), `${shell} ${name}`);
  }
});

test('every error of the table is in its page, with the status the manual gives it', t => {
  for (const [code, { exitStatus }] of Object.entries(ERRORS)) {
    t.true(pages['errors']?.().includes(`| ${code} | ${exitStatus} |`));
    t.regex(pages['usher.1']?.() ?? '', new RegExp(`^\\.B ${exitStatus}$`, 'm'));
  }
});

testUnless(whyNoProgram('bash'))('the completion for bash completes verbs and options', t => {
  const script = `
    source ${path.join(top, 'contrib/completion/usher.bash')}
    COMP_WORDS=(usher hist); COMP_CWORD=1; _usher; echo "\${COMPREPLY[*]}"
    COMP_WORDS=(usher history --ver); COMP_CWORD=2; _usher; echo "\${COMPREPLY[*]}"
    COMP_WORDS=(usher history --verdict de); COMP_CWORD=3; _usher; echo "\${COMPREPLY[*]}"`;
  t.is(execFileSync('bash', ['-c', script], { encoding: 'utf8' }), 'history\n--verdict\ndeny\n');
});
