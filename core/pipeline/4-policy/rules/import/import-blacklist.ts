import { parseModprobeConf } from '../../../../kmod/config/modprobe-conf.ts';
import { formatPlace, type Problem } from '../../../../vocabulary/place.ts';
import type { Imported } from './import-usbguard.ts';

/** Commands that do nothing: with one of them `install` keeps a module out. */
const NOTHING = /^(?:\/usr)?\/bin\/(?:true|false)$/;

/**
 * Text of a modprobe.d file → rules that deny what it keeps out: `blacklist`, and `install` with a command that does nothing. Here a
 * denied module is also denied as a dependency, which blacklist does not do; lines of other kinds stay where they are.
 */
export function importBlacklist(text: string, file: string): Imported {
  const { directives, problems } = parseModprobeConf(text, file);
  const lines: string[] = [];
  const found: Problem[] = [...problems];
  for (const directive of directives) {
    const { place } = directive;
    if (directive.kind === 'blacklist') lines.push(denial(directive.module, formatPlace(place)));
    else if (directive.kind === 'install' && NOTHING.test(directive.command.trim())) {
      lines.push(denial(directive.pattern, formatPlace(place)));
    } else if (directive.kind === 'install') {
      found.push({ place, message: `install ${directive.pattern} runs a command; it stays in modprobe.d` });
    }
  }
  return { text: lines.length === 0 ? '' : `${[...new Set(lines)].join('\n')}\n`, problems: found };
}

function denial(module: string, place: string): string {
  return `MODULE=="${module}", VERDICT="deny", REASON="as ${place.replaceAll(/["$%\\]/g, '_')} says"`;
}
