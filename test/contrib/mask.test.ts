import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';

const mask = path.resolve(import.meta.dirname, '../../contrib/udev/mask');
const ours = path.resolve(import.meta.dirname, '../../contrib/udev/80-drivers.rules');

function run(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('sh', [mask, ...words], { encoding: 'utf8' });
}

test('masking udev puts our rules in the place of its own, and undoing takes them away', t => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'usherd-mask-'));
  const rules = path.join(root, 'etc/udev/rules.d/80-drivers.rules');
  t.is(run('--root', root).status, 0);
  t.is(readFileSync(rules, 'utf8'), readFileSync(ours, 'utf8'));
  t.is(run('--root', root).stdout, 'mask: udev is masked already\n');
  t.is(run('--undo', '--root', root).status, 0);
  t.false(existsSync(rules));
  t.is(run('--undo', '--root', root).stdout, `mask: ${rules} is not ours, nothing to undo\n`);
});

test("an administrator's own file is kept and put back", t => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'usherd-mask-'));
  const rules = path.join(root, 'etc/udev/rules.d/80-drivers.rules');
  mkdirSync(path.dirname(rules), { recursive: true });
  writeFileSync(rules, '# mine\n');
  t.is(run('--root', root).status, 0);
  t.is(run('--undo', '--root', root).status, 0);
  t.is(readFileSync(rules, 'utf8'), '# mine\n');
});

test('our rules load nothing by MODALIAS and keep the loads of devices that have none', t => {
  const text = readFileSync(ours, 'utf8');
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  t.false(lines.some(line => line.includes('MODALIAS')));
  t.true(lines.some(line => line.includes('kmod load ms_block mspro_block')));
});

test('a wrong option is refused', t => {
  t.is(run('--frobnicate').status, 2);
});
