import { textLines } from './text-lines.ts';

/** modules.order or modules.builtin → the paths in it, one a line, in the order the kernel's build linked them. */
export function parseModulesOrder(text: string): string[] {
  return Array.from(textLines(text), ({ line }) => line.trim()).filter(path => path !== '');
}
