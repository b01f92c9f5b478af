/** Text → roff that prints exactly that: backslashes, leading dots and hyphens keep their meaning. Source: groff_man(7). */
export function roffText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** One page of the manual, top to bottom. */
export class RoffPage {
  readonly #lines: string[];

  constructor(name: string, section: number, version: string) {
    this.#lines = [`.TH ${name.toUpperCase()} ${section} "" "usherd ${version}" "usherd manual"`];
  }

  section(title: string): this {
    this.#lines.push(`.SH ${title.toUpperCase()}`);
    return this;
  }

  subsection(title: string): this {
    this.#lines.push(`.SS ${roffText(title)}`);
    return this;
  }

  paragraph(text: string): this {
    this.#lines.push('.PP', roffText(text));
    return this;
  }

  /** A term in bold and what it means, indented below. */
  item(term: string, text: string): this {
    this.#lines.push('.TP', `.B ${roffText(term)}`, roffText(text));
    return this;
  }

  /** Lines kept as they are. */
  literal(lines: readonly string[]): this {
    this.#lines.push('.PP', '.nf', ...lines.map(line => roffText(line)), '.fi');
    return this;
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
