import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findAliasLine } from '../../../core/kmod/lookup/find-alias-line.ts';
import type { ModuleMatch } from '../../../core/kmod/lookup/module-match.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';

function treeOf(t: ExecutionContext, alias: string): ModuleTree {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-alias-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(path.join(dir, 'modules.alias'), alias, 'latin1');
  return ModuleTree.open(dir);
}

const match = (pattern: string, module: string): ModuleMatch => ({
  pattern,
  module: moduleName(module),
  source: 'modules.alias',
  place: { file: 'modules.alias.bin' },
});

test('the line of a match is found wherever it stands in a file of a megabyte', t => {
  const lines = Array.from({ length: 30_000 }, (_, at) => `alias pci:v${'0'.repeat(at % 30)}d${at}* module_${at % 7}`);
  const tree = treeOf(t, `${lines.join('\n')}\n`);
  // 61 is no divisor of a piece's length, so that ends of pieces are met at many places of a line.
  for (let at = 0; at < lines.length; at += at < 200 ? 1 : 61) {
    const found = findAliasLine(tree, match(`pci:v${'0'.repeat(at % 30)}d${at}*`, `module_${at % 7}`));
    t.deepEqual(found, { file: tree.aliasText, line: at + 1 });
  }
});

test('only a whole line is the line of a match, and the first of equal ones', t => {
  const tree = treeOf(
    t,
    '# alias usb:* a\nalias usb:* ab\n\nxalias usb:* a\nalias usb:* a\nalias usb:* a\nalias last:* a',
  );
  t.is(findAliasLine(tree, match('usb:*', 'a')).line, 5);
  t.is(findAliasLine(tree, match('usb:*', 'ab')).line, 2);
  t.is(findAliasLine(tree, match('last:*', 'a')).line, 7);
});

test('a line that is written otherwise than the index has it is found by its meaning', t => {
  const tree = treeOf(t, '# Aliases\nalias  usb:v-1*\tsome-module and more\n');
  t.deepEqual(findAliasLine(tree, match('usb:v_1*', 'some_module')), { file: tree.aliasText, line: 2 });
});

test('a match that the text does not have, or without a text, keeps its place', t => {
  const nobody = match('usb:*', 'nobody');
  t.deepEqual(findAliasLine(treeOf(t, ''), nobody), nobody.place);
  t.deepEqual(findAliasLine(treeOf(t, 'alias usb:* other\n'), nobody), nobody.place);
  t.deepEqual(findAliasLine(ModuleTree.open('/nonexistent'), nobody), nobody.place);
});
