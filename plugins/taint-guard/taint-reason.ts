import type { ModuleTraits } from '../../core/plugin-api/index.ts';

/** Letters a module's file foretells. Source: Documentation/admin-guide/tainted-kernels.rst. */
export const FORESEEN = ['P', 'C', 'O', 'E', 'K', 'N'] as const;
export type Taint = (typeof FORESEEN)[number];

const WHY = {
  P: ({ license }) =>
    license === '' ? 'it names no licence' : `its licence is "${license}", which is not compatible with the GPL`,
  C: () => 'it is a staging driver, not yet good enough for the kernel',
  O: () => 'it was built outside the kernel tree',
  E: () => 'nobody signed it',
  K: () => 'it is a live patch',
  N: () => 'it is a test of the kernel (KUnit)',
} as const satisfies Record<Taint, (traits: ModuleTraits) => string>;

/** A module's traits → why it must not load, in words; undefined when it would set none of the forbidden letters. */
export function taintReason(module: string, traits: ModuleTraits, forbidden: readonly Taint[]): string | undefined {
  const found = forbidden.filter(letter => traits.taints.includes(letter));
  if (found.length === 0) return undefined;
  const why = found.map(letter => `${letter}, ${WHY[letter](traits)}`).join('; ');
  return `${module} would taint the kernel until the next boot: ${why}`;
}
