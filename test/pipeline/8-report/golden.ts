import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

/** Compares lines with expected/NAME.txt. With USHERD_GOLDEN=1 the file is written instead, and `git diff` is the review. */
export function golden(t: ExecutionContext, name: string, lines: readonly string[]): void {
  const file = path.join(import.meta.dirname, 'expected', `${name}.txt`);
  const text = `${lines.join('\n')}\n`;
  if (process.env['USHERD_GOLDEN'] === '1') {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  t.is(text, readFileSync(file, 'utf8'));
}
