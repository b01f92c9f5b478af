import { seededRandom } from '../support/pattern-texts.ts';

/** Fields of a modalias and how many hexadecimal digits the kernel gives each. Source: the buses' uevent functions and scripts/mod/file2alias.c. */
const FORMATS: Readonly<Record<string, string>> = {
  pci: 'v8d8sv8sd8bc2sc2i2',
  vfio_pci: 'v8d8sv8sd8bc2sc2i2',
  usb: 'v4p4d4dc2dsc2dp2ic2isc2ip2in2',
  hid: 'b4g4v8p8',
  hdaudio: 'v8r8a2',
  virtio: 'd8v8',
  sdio: 'c2v4d4',
  serio: 'ty2pr2id2ex2',
  ssb: 'v4id4rev2',
  bcma: 'm4id4rev2cl2',
  ieee1394: 'ven8mo8sp8ver8',
};

/** What stands for a star on buses without such fields. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  of: ['serial', 'i2c', 'ethernet', 'codec', '(null)'],
  acpi: ['', '', 'PNP0C50:', 'PNP0303:'],
  cpu: ['', ',0001,0004', ',0000,0001,0002,0003,0004,0005,0006,0007,0008,0009,000B,000C,000D,000E,0010'],
  dmi: ['', 'bvn', 'Inc.', 'Model1:rv1.0'],
};

const HEX = '0123456789ABCDEF';

/** Patterns → as many texts as devices would have them: each field as wide as the kernel writes it. The same ones each time. */
export function kernelTexts(patterns: readonly string[], count: number): readonly string[] {
  const random = seededRandom(1);
  const pick = <Item>(items: ArrayLike<Item>): Item | undefined => items[Math.floor(random() * items.length)];
  const digits = (wanted: number): string =>
    Array.from({ length: Math.max(0, wanted) }, () => pick(HEX) ?? '').join('');
  const oneOf = (text: string): string =>
    text.replaceAll(/\[(.)[^\]]*\]|\?/g, (_, first: string | undefined) => first ?? digits(1));
  const fillField = (value: string, width: number): string =>
    value.replace('*', digits(width - value.replace('*', '').length));
  return Array.from({ length: count }, () => {
    const pattern = oneOf(pick(patterns) ?? '');
    const bus = /^[a-z0-9_]+/.exec(pattern)?.[0] ?? '';
    const fields = [...(FORMATS[bus] ?? '').matchAll(/([a-z]+)(\d)/g)];
    const values =
      fields.length === 0
        ? null
        : new RegExp(`^${bus}:${fields.map(([, name]) => `${name}([0-9A-F*]*)`).join('')}\\*?$`).exec(pattern);
    if (values === null) return pattern.replaceAll('*', () => pick(WORDS[bus] ?? ['', digits(2)]) ?? '');
    return `${bus}:${fields.map(([, name, width], n) => `${name}${fillField(values[n + 1] ?? '', Number(width))}`).join('')}`;
  });
}
