/**
 * An alias or pattern as it is looked up and indexed: `-` is `_`, except inside `[…]`, which reaches to the first `]`.
 * Undefined when a bracket has no partner; depmod leaves such a pattern out of modules.alias.bin, and modprobe refuses it.
 * Source: kmod shared/util.c, alias_normalize.
 */
export function normaliseAlias(text: string): string | undefined {
  if (!text.includes('['))
    return text.includes(']') ? undefined : text.includes('-') ? text.replaceAll('-', '_') : text;
  let result = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('[', at);
    const plain = open < 0 ? text.slice(at) : text.slice(at, open);
    if (plain.includes(']')) return undefined;
    result += plain.replaceAll('-', '_');
    if (open < 0) return result;
    const close = text.indexOf(']', open);
    if (close < 0) return undefined;
    result += text.slice(open, close + 1);
    at = close + 1;
  }
}
