import { signatureText } from './signature-text.ts';
import { type Forbid } from './standing-decisions.ts';

/** No module has this name: an alias that names it loads nothing, and modprobe says which name it looked for. */
const NO_MODULE = 'forbidden_by_usherd';

/**
 * Forbids → lines of modprobe.d(5) that a plain modprobe, and udev's own loading, obey. `blacklist` is for who asks by an alias and
 * looks at nothing else; `install` refuses it also by name and as a dependency. insmod obeys nothing. An alias pattern is led to a module
 * that is not there, since modprobe.d's aliases come before the tree's.
 */
export function exportModprobeD(forbids: readonly Forbid[], byDefault: 'allow' | 'deny-unmatched'): string {
  const head = [
    '# Made by usher policy export --modprobe.d; make it anew after each change. usherd itself does not need it.',
    ...(byDefault === 'allow'
      ? []
      : ['# default = "deny-unmatched" cannot be said here: it follows the devices that are there.']),
  ];
  const lines = forbids.flatMap(({ subject, reason, ...forbid }) => [
    '',
    `# ${commentText(reason === '' ? 'forbidden' : reason)}; ${signatureText(forbid)}`,
    ...(subject.kind === 'module'
      ? [`blacklist ${subject.module}`, `install ${subject.module} /bin/false`]
      : [`alias ${subject.pattern} ${NO_MODULE}`]),
  ]);
  return `${[...head, ...lines].join('\n')}\n`;
}

/** A comment is one line, and a backslash at its end would make the next one part of it. */
function commentText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control bytes are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f\\\u2028\u2029]/g, ' ');
}
