/** Patterns a package says one of its modules claims. */
export interface ClaimedPatterns {
  readonly module: string;
  readonly patterns: readonly string[];
}

/** Longest pattern that is taken; no modalias is longer (UEVENT_BUFFER_SIZE). */
const PATTERN_MAX_CHARS = 2048;

/**
 * Value of a `Modaliases:` header → what each module claims: `nvidia(pci:v000010DEd…sv*sd*bc03sc*i*, pci:…), other(…)`. What is not of
 * this form is told by `complain` and left out; the rest is taken. Source: ubuntu-drivers-common, dh_modaliases.
 */
export function parseModaliasesHeader(value: string, complain: (message: string) => void): readonly ClaimedPatterns[] {
  const claimed: ClaimedPatterns[] = [];
  let at = 0;
  while (at < value.length) {
    const open = value.indexOf('(', at);
    const close = open < 0 ? -1 : value.indexOf(')', open);
    const module = value
      .slice(at, open < 0 ? undefined : open)
      .replace(/^[\s,]+/, '')
      .trim();
    if (open < 0 || close < 0) {
      if (module !== '') complain(`Modaliases has "${module.slice(0, 60)}" at ${at}, wanted MODULE(PATTERN, …)`);
      break;
    }
    at = close + 1;
    if (!/^[\w.-]{1,64}$/.test(module)) {
      complain(`Modaliases has "${module.slice(0, 60)}" where a module's name was wanted`);
      continue;
    }
    const patterns = value
      .slice(open + 1, close)
      .split(',')
      .map(pattern => pattern.trim())
      .filter(pattern => pattern !== '');
    const good = patterns.filter(pattern => pattern.length <= PATTERN_MAX_CHARS && /^[!-~]+$/.test(pattern));
    if (good.length < patterns.length) complain(`Modaliases of ${module} has a pattern that no modalias can match`);
    claimed.push({ module, patterns: good });
  }
  return claimed;
}
