import type { RuleToken } from './rule.ts';

/** A token as a file has it: `ATTR{idVendor}=="046d"`. */
export function tokenText({ key, attribute, operator, value, isCaseless }: RuleToken): string {
  const written = value.replaceAll('"', String.raw`\"`);
  const plain = !/[\n\r\t]/.test(value);
  const literal = plain ? `"${written}"` : `e${JSON.stringify(value)}`;
  return `${key}${attribute === undefined ? '' : `{${attribute}}`}${operator}${isCaseless ? 'i' : ''}${literal}`;
}
