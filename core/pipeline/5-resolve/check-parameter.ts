/** Whole numbers the kernel's parameter types hold. Source: include/linux/moduleparam.h, kernel/params.c; long is 64 bits wide. */
const RANGES: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  byte: [0n, 0xffn],
  hexint: [0n, 0xffff_ffffn],
  short: [-0x8000n, 0x7fffn],
  ushort: [0n, 0xffffn],
  int: [-0x8000_0000n, 0x7fff_ffffn],
  uint: [0n, 0xffff_ffffn],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  ulong: [0n, 2n ** 64n - 1n],
  ullong: [0n, 2n ** 64n - 1n],
};

const ARRAY = 'array of ';

/**
 * A parameter's type, as modinfo has it, and a value → why the kernel would not take it, or undefined when nothing speaks against
 * it. A type that is not known says nothing: the kernel decides. Source: kernel/params.c.
 */
export function parameterProblem(type: string, value: string): string | undefined {
  if (type.startsWith(ARRAY)) {
    const element = type.slice(ARRAY.length);
    const problems = value.split(',').flatMap((item, i) => {
      const problem = parameterProblem(element, item);
      return problem === undefined ? [] : [`item ${i + 1}: ${problem}`];
    });
    return problems[0];
  }
  if (type === 'bool' || type === 'invbool') {
    return /^(?:[yYtTnNfF10]|on|off)/i.test(value) ? undefined : `found "${value}", wanted Y or N (1 or 0, on or off)`;
  }
  const range = Object.hasOwn(RANGES, type) ? RANGES[type] : undefined;
  if (range === undefined) return undefined;
  const number = wholeNumber(value, type === 'hexint');
  if (number === undefined) return `found "${value}", wanted a whole number (${type})`;
  const [min, max] = range;
  return number < min || number > max ? `found ${value}, wanted ${min} to ${max} (${type})` : undefined;
}

/** As kstrtoull(9) reads with base 0: 0x is hexadecimal, a leading 0 octal, a sign in front. */
function wholeNumber(text: string, isHex: boolean): bigint | undefined {
  const [, sign, digits] = /^([+-]?)([0-9a-fx]+)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const plain = /^0x/i.test(digits)
    ? digits
    : isHex
      ? `0x${digits}`
      : /^0[0-7]+$/.test(digits)
        ? `0o${digits}`
        : digits;
  if (!/^(?:0x[0-9a-f]+|0o[0-7]+|[0-9]+)$/i.test(plain)) return undefined;
  const number = BigInt(plain);
  return sign === '-' ? -number : number;
}
