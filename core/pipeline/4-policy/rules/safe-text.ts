/** Characters of substituted values that stay beside letters, digits and `#+-.:=@_`. Source: systemd, UDEV_ALLOWED_CHARS_INPUT. */
export const INPUT_CHARS = '/ $%?,';

const SAFE = /[0-9A-Za-z#+\-.:=@_]/;

/**
 * Text → the same with `_` for every character that is not safe in a name and not among `allowed`. Letters beyond ASCII stay, and so does
 * `\x`, with which names encode bytes. With a blank among `allowed` every white space becomes one.
 * Source: udev(7), SYMLINK; systemd, udev_replace_chars.
 */
export function replaceUnsafe(text: string, allowed = ''): string {
  if (/^[0-9A-Za-z#+\-.:=@_]*$/.test(text)) return text;
  let safe = '';
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (SAFE.test(sign) || allowed.includes(sign)) safe += sign;
    else if (sign === '\\' && text.charAt(at + 1) === 'x') {
      safe += '\\x';
      at += 1;
    } else if (text.charCodeAt(at) >= 0x80 && sign !== '\ufffd') safe += sign;
    else safe += allowed.includes(' ') && isSpace(sign) ? ' ' : '_';
  }
  return safe;
}

/** White space at the ends goes, each run inside becomes one `_`. Source: systemd, udev_replace_whitespace. */
export function replaceWhitespace(text: string): string {
  return text
    .split(/[ \t\n\v\f\r]+/)
    .filter(word => word !== '')
    .join('_');
}

/** A name for a property's value: everything a device node must not have is written `\x20`. Source: systemd, encode_devnode_name. */
export function encodeName(text: string): string {
  let encoded = '';
  for (const sign of text) {
    const code = sign.codePointAt(0) ?? 0;
    if (sign === '\ufffd') encoded += String.raw`\xef\xbf\xbd`;
    else if (code >= 0x80) encoded += sign;
    else if (sign === '\\' || !SAFE.test(sign)) encoded += `\\x${code.toString(16).padStart(2, '0')}`;
    else encoded += sign;
  }
  return encoded;
}

function isSpace(sign: string): boolean {
  return /[ \t\n\v\f\r]/.test(sign);
}

/** A text without white space at its end. Linear, where a pattern would not be. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}
