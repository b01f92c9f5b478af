import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkRules } from '../../core/pipeline/4-policy/rules/check-rules.ts';
import { formatRules } from '../../core/pipeline/4-policy/rules/format-rules.ts';
import { parseRules } from '../../core/pipeline/4-policy/rules/parse-rules.ts';
import { RuleSet } from '../../core/pipeline/4-policy/rules/rule-set.ts';

const top = path.resolve(import.meta.dirname, '../..');
const files = globSync('rules/**/*.rules', { cwd: top }).toSorted();

/** The text with its switched-off rules switched on: examples that are comments, and the GOTO that leads over all others. */
function switchedOn(text: string): string {
  return text.replaceAll(/^#(?=[A-Z]+[{=!])/gm, '').replace(/^GOTO=.*\n/m, '');
}

for (const file of files) {
  test(`${file} is without a problem and evenly written, as shipped and switched on`, t => {
    const text = readFileSync(path.join(top, file), 'utf8');
    for (const each of [text, switchedOn(text)]) {
      // Where the GOTO is taken out its LABEL is left.
      t.deepEqual(
        checkRules(each, file).filter(({ severity }) => severity !== 'style'),
        [],
      );
      t.is(formatRules(each), each);
    }
    t.true(parseRules(switchedOn(text), file).rules.length > 1);
  });
}

test('the shipped rules that deny or hold say nothing until somebody takes a line out', t => {
  for (const file of files.filter(name => name.includes('rare-'))) {
    const text = readFileSync(path.join(top, file), 'utf8');
    const programOf = (rules: string): number =>
      new RuleSet([{ ...parseRules(rules, file), hash: '' }]).programFor({
        ACTION: 'add',
        SUBSYSTEM: 'pci',
        DEVTYPE: '',
      }).length;
    t.is(programOf(text), 0);
    t.true(programOf(switchedOn(text)) > 0);
  }
});
