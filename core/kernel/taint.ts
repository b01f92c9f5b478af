import { readSmallFile } from './small-file.ts';

/** One bit of the kernel's taint. */
export interface TaintFlag {
  readonly bit: number;
  readonly letter: string;
  /** What it says, for a person. */
  readonly meaning: string;
  /** Whether a module carries the letter itself, so that one can say which module it was. */
  readonly isOfModules: boolean;
}

/** Source: Documentation/admin-guide/tainted-kernels.rst; kernel/panic.c, taint_flags. A clear bit 0 is printed as G. */
export const TAINT_FLAGS: readonly TaintFlag[] = [
  flag(0, 'P', 'a module with a licence that is not compatible with the GPL was loaded', true),
  flag(1, 'F', 'a module was loaded by force', true),
  flag(2, 'S', 'the kernel runs on a processor or system that is out of its specification'),
  flag(3, 'R', 'a module was unloaded by force'),
  flag(4, 'M', 'the processor reported a machine check exception'),
  flag(5, 'B', 'a bad page was referenced, or the page flags are not what they should be'),
  flag(6, 'U', 'somebody asked for the taint from user space'),
  flag(7, 'D', 'the kernel has died: there was an oops or a BUG'),
  flag(8, 'A', 'an ACPI table was overridden by the user'),
  flag(9, 'W', 'the kernel has issued a warning'),
  flag(10, 'C', 'a staging driver was loaded', true),
  flag(11, 'I', 'a workaround for a severe bug of the firmware is in use'),
  flag(12, 'O', 'a module that was built outside the kernel tree was loaded', true),
  flag(13, 'E', 'a module without a valid signature was loaded', true),
  flag(14, 'L', 'a processor was stuck: a soft lockup'),
  flag(15, 'K', 'the kernel was live patched', true),
  flag(16, 'X', 'the distribution uses this bit for its own purposes', true),
  flag(17, 'T', 'the kernel was built with randomised structures'),
  flag(18, 'N', 'a test of the kernel (KUnit) was run', true),
  flag(19, 'J', 'user space changed state of the firmware (fwctl)'),
];

function flag(bit: number, letter: string, meaning: string, isOfModules = false): TaintFlag {
  return { bit, letter, meaning, isOfModules };
}

/** The kernel's taint → the flags that are set, lowest bit first. Bits this table does not know come with the letter `?`. */
export function decodeTaint(mask: bigint): readonly TaintFlag[] {
  const flags: TaintFlag[] = [];
  for (let bit = 0; mask >> BigInt(bit) !== 0n; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    flags.push(TAINT_FLAGS[bit] ?? flag(bit, '?', 'a bit that is younger than this usherd'));
  }
  return flags;
}

/** /proc/sys/kernel/tainted; undefined where there is none. */
export function readTaint(procRoot: string): bigint | undefined {
  const text = readSmallFile(`${procRoot}/sys/kernel/tainted`)?.trim();
  return text !== undefined && /^[0-9]{1,20}$/.test(text) ? BigInt(text) : undefined;
}
