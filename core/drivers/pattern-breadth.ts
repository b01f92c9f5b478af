/** How much of all devices a pattern takes in. */
export interface PatternBreadth {
  /** 4: this very device; 3: a vendor's devices of one class; 2: one class of any vendor; 1: a whole vendor; 0: nearly everything. */
  readonly exactness: 0 | 1 | 2 | 3 | 4;
  /** Why nothing is installed for it without being chosen by name; absent when it is narrow enough. */
  readonly tooBroad?: string;
}

/** Fields of a bus's modalias: its device's own numbers, and its class. Source: scripts/mod/file2alias.c. */
const BUSES: Readonly<
  Record<string, { readonly vendor: string; readonly product: string; readonly classes: readonly string[] }>
> = {
  pci: { vendor: 'v', product: 'd', classes: ['bc', 'sc'] },
  usb: { vendor: 'v', product: 'p', classes: ['ic', 'dc'] },
  hid: { vendor: 'v', product: 'p', classes: ['g'] },
  sdio: { vendor: 'v', product: 'd', classes: ['c'] },
  virtio: { vendor: 'v', product: 'd', classes: [] },
  input: { vendor: 'v', product: 'p', classes: ['e'] },
  hdaudio: { vendor: 'v', product: 'v', classes: [] },
  bcma: { vendor: 'm', product: 'id', classes: [] },
  ssb: { vendor: 'v', product: 'id', classes: [] },
};

/** Shortest text that names one device where nothing is known of the bus: `PNP0C0A`, `rtc0`. */
const NAME_MIN_CHARS = 4;

/** A pattern of an alias → how many devices it takes in. */
export function breadthOf(pattern: string): PatternBreadth {
  const colon = pattern.indexOf(':');
  // Aliases of ACPI have a star of their own behind the bus: `acpi*:PNP0C0A:*`.
  const bus = colon < 0 ? '' : pattern.slice(0, colon).replace(/(?<=.)\*$/, '');
  const rest = pattern.slice(colon + 1);
  if (/[*?[]/.test(bus) || colon < 0) return broad(0, `"${pattern}" is for devices of any bus`);
  const fields = BUSES[bus];
  if (fields === undefined) return named(pattern, rest);
  const values = fieldsOf(rest);
  const isGiven = (name: string): boolean => {
    const value = values.get(name);
    return value !== undefined && /[0-9A-F]/.test(value) && !/[*?[]/.test(value.slice(0, 4));
  };
  const [hasVendor, hasProduct] = [isGiven(fields.vendor), isGiven(fields.product)];
  const hasClass = fields.classes.some(isGiven);
  if (hasVendor && hasProduct) return { exactness: 4 };
  if (hasVendor && hasClass) return { exactness: 3 };
  if (hasVendor) return broad(1, `"${pattern}" is for every device of a vendor`);
  if (hasClass) return broad(2, `"${pattern}" is for a class of devices, whoever made them`);
  return broad(0, `"${pattern}" is for nearly every device on ${bus}`);
}

function broad(exactness: 0 | 1 | 2, tooBroad: string): PatternBreadth {
  return { exactness, tooBroad };
}

/** Buses that name their devices: what stands between the wildcards is all there is to go by. */
function named(pattern: string, rest: string): PatternBreadth {
  const longest = Math.max(0, ...rest.split(/[*?]|\[[^\]]*\]/).map(part => part.replaceAll(':', '').length));
  if (longest < NAME_MIN_CHARS) return broad(0, `"${pattern}" names no device`);
  return { exactness: 4 };
}

/** `v00001234d*sv*bc03` → its fields: lower-case letters name one, what follows up to the next is its value. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/([a-z]+)([^a-z]*)/g))
    if (!fields.has(name)) fields.set(name, value);
  return fields;
}
