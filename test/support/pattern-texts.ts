/** Numbers between 0 and 1, the same ones each time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const FILLINGS = ['', '0', 'FF', '00008086', 'serial', 'PNP0303:', ',0001,0004', '(null)', 'x'];

/**
 * Patterns → texts most of which some pattern matches: wildcards are filled in, and of every fourth text one character is changed
 * so that it misses or matches another.
 */
export function samplePatternTexts(patterns: readonly string[], count: number, seed = 1): string[] {
  const random = seededRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
  const texts: string[] = [];
  while (texts.length < count) {
    let text = (pick(patterns) ?? '').replaceAll(/\[([^\]]*)\]|[*?]/g, (wildcard, set: string | undefined) =>
      set === undefined ? (wildcard === '?' ? 'A' : (pick(FILLINGS) ?? '')) : (set[0] ?? ''),
    );
    if (texts.length % 4 === 3) {
      const at = Math.floor(random() * text.length);
      text = `${text.slice(0, at)}${pick(['0', 'F', 'z'])}${text.slice(at + 1)}`;
    }
    // A text that modprobe would take for an option or a path is none a device has.
    if (text !== '' && /^[A-Za-z0-9]/.test(text)) texts.push(text);
  }
  return texts;
}
