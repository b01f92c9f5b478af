/**
 * Two versions of Debian packages → which is newer: negative when `a` is older, positive when it is newer, 0 when they are the same.
 * Source: deb-version(7), "Sorting algorithm".
 */
export function compareDebVersions(a: string, b: string): number {
  const [one, two] = [parts(a), parts(b)];
  return (
    Number(one.epoch) - Number(two.epoch) ||
    compareParts(one.upstream, two.upstream) ||
    compareParts(one.revision, two.revision)
  );
}

function parts(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const epoch = colon < 0 ? '0' : version.slice(0, colon);
  return {
    epoch: /^\d{1,9}$/.test(epoch) ? epoch : '0',
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i])) || (j < b.length && !isDigit(b[j]))) {
      const difference = order(a[i]) - order(b[j]);
      if (difference !== 0) return difference;
      i += 1;
      j += 1;
    }
    const [x, y] = [digits(a, i), digits(b, j)];
    const difference = compareNumbers(x, y);
    if (difference !== 0) return difference;
    i += x.length;
    j += y.length;
  }
  return 0;
}

/** `~` before the end, the end (and a digit) before letters, letters before all else. */
function order(character: string | undefined): number {
  if (character === undefined || isDigit(character)) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function digits(text: string, from: number): string {
  let end = from;
  while (end < text.length && isDigit(text[end])) end += 1;
  return text.slice(from, end);
}

function compareNumbers(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}
