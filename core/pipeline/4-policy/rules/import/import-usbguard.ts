import type { Problem } from '../../../../vocabulary/place.ts';
import { parseUsbguard, type UsbguardRule, type UsbguardValues } from './usbguard-language.ts';

/** Sets larger than this have too many orders to be written out. */
const ORDERS_MAX = 4;

/** What came of a file of another program: rules of ours as text, and the lines that could not be translated, with why. */
export interface Imported {
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * USBGuard's rules → ours, line by line. There the first rule that matches decides, here the last: each verdict is closed with `:=`. A
 * rule speaks of the drivers of a USB device's interfaces.
 */
export function importUsbguard(text: string, file: string): Imported {
  const { rules, problems } = parseUsbguard(text, file);
  const found: Problem[] = [...problems];
  const lines = [
    '# From USBGuard. The first rule that matches decides; what none matches is decided elsewhere.',
    IMPORT,
  ];
  for (const rule of rules) {
    const line = translate(rule);
    if ('refusal' in line) found.push({ place: { file, line: rule.line }, message: line.refusal });
    else lines.push(line.rule);
    if (rule.target === 'reject') {
      found.push({
        place: { file, line: rule.line },
        message: 'reject: no driver loads, but the device is not taken off its bus',
      });
    }
  }
  return {
    text: `${lines.join('\n')}\n`,
    problems: found.toSorted((a, b) => (a.place.line ?? 0) - (b.place.line ?? 0)),
  };
}

/** Which interfaces the device has; rules below ask for it. */
const IMPORT = 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", IMPORT{builtin}="usb_id"';

type Keys = readonly string[] | { readonly refusal: string };

function translate(rule: UsbguardRule): { rule: string } | { refusal: string } {
  const keys = ['SUBSYSTEM=="usb"'];
  for (const [name, values] of rule.attributes) {
    const translated = ATTRIBUTES[name](values);
    if ('refusal' in translated) return { refusal: `${name}: ${translated.refusal}` };
    keys.push(...translated);
  }
  const refusal = conditionRefusal(rule.conditions);
  if (refusal !== undefined) return { refusal };
  const label = rule.attributes.get('label')?.values[0];
  const reason = `USBGuard: ${rule.target}${label === undefined ? '' : `, ${label}`}`;
  const verdict = rule.target === 'allow' ? 'allow' : 'deny';
  return { rule: [...keys, `VERDICT:="${verdict}"`, `REASON=${quote(reason.replaceAll(/[$%]/g, '$&$&'))}`].join(', ') };
}

const ATTRIBUTES: Readonly<Record<Parameters<UsbguardRule['attributes']['get']>[0], (values: UsbguardValues) => Keys>> =
  {
    id: values => single('ENV{PRODUCT}', { ...values, values: values.values.map(productPattern) }, false),
    name: values => single('ATTRS{product}', values),
    serial: values => single('ATTRS{serial}', values),
    'via-port': values => single('KERNELS', values),
    'with-connect-type': values => single('ATTRS{port/connect_type}', values),
    'with-interface': interfaceKeys,
    label: () => [],
    hash: () => ({ refusal: 'it is a sum over descriptors that rules cannot make; say id and serial' }),
    'parent-hash': () => ({ refusal: 'it is a sum over descriptors that rules cannot make; say via-port' }),
  };

/** A device has one of these: all-of and equals of several can never hold. */
function single(key: string, { operator, values }: UsbguardValues, isPlain = true): Keys {
  const patterns = [...new Set(values)].map(value => (isPlain ? escapePattern(value) : value));
  if (operator === 'none-of') return [`${key}!=${quote(patterns.join('|'))}`];
  if (operator !== 'one-of' && operator !== 'match-all' && patterns.length > 1) {
    return { refusal: `a device has one, so ${operator} of ${patterns.length} never matches` };
  }
  return [`${key}==${quote(patterns.join('|'))}`];
}

/** `046d:c31c` → `46d/c31c/*`: the kernel writes PRODUCT without leading zeros. */
function productPattern(id: string): string {
  const [vendor = '*', product = '*'] = id
    .toLowerCase()
    .split(':')
    .map(part => (part === '*' ? part : part.replace(/^0{1,3}/, '')));
  return product === '*' ? `${vendor}/*` : `${vendor}/${product}/*`;
}

function interfaceKeys({ operator, values }: UsbguardValues): Keys {
  const key = 'ENV{ID_USB_INTERFACES}';
  const wrong = values.find(value => !/^[0-9a-fA-F]{2}:(?:\*|[0-9a-fA-F]{2}):(?:\*|[0-9a-fA-F]{2})$/.test(value));
  if (wrong !== undefined) return { refusal: `found "${wrong}", wanted CC:SS:PP` };
  const kinds = [...new Set(values.map(value => value.toLowerCase().replaceAll('*', '??').replaceAll(':', '')))];
  const anywhere = kinds.map(kind => `*:${kind}:*`);
  switch (operator) {
    case 'one-of':
      return [`${key}==${quote(anywhere.join('|'))}`];
    case 'none-of':
      return [`${key}!=${quote(anywhere.join('|'))}`];
    case 'all-of':
      return anywhere.map(pattern => `${key}==${quote(pattern)}`);
    case 'equals-ordered':
      return [`${key}==${quote(`:${kinds.join(':')}:`)}`];
    default:
  }
  if (kinds.length > ORDERS_MAX)
    return { refusal: `${operator} of more than ${ORDERS_MAX} interfaces has too many orders` };
  const orders = arrangements(kinds).filter(order => operator === 'match-all' || order.length === kinds.length);
  return [`${key}==${quote(orders.map(order => `:${order.join(':')}:`).join('|'))}`];
}

/** Every order of every part of a list, but for the empty one. */
function arrangements(items: readonly string[]): readonly (readonly string[])[] {
  return items.flatMap((item, n) => [
    [item],
    ...arrangements(items.filter((_, other) => other !== n)).map(order => [item, ...order]),
  ]);
}

function conditionRefusal(conditions: UsbguardValues | undefined): string | undefined {
  const unknown = conditions?.values.find(condition => condition !== 'true' && condition !== '!false');
  return unknown === undefined
    ? undefined
    : `if ${unknown}: rules know neither the time nor what was decided before; a plugin or usher permit can`;
}

/** Signs of patterns taken as they are. A `|` cannot be: any one character stands for it. */
function escapePattern(value: string): string {
  return value.replaceAll(/[*?[\]\\]/g, String.raw`\$&`).replaceAll('|', '?');
}

function quote(value: string): string {
  return `"${value.replaceAll('"', String.raw`\"`)}"`;
}
