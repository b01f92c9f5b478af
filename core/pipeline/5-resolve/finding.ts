/** Something worth knowing before the kernel is asked. It decides; this is what can be seen from outside. */
export interface Finding {
  readonly kind:
    | 'modules-disabled'
    | 'signature'
    | 'vermagic'
    | 'dependency'
    | 'symbol'
    | 'parameter'
    | 'firmware'
    | 'taint';
  /** `refusal`: the kernel will say no. `warning`: it may not work. `note`: it will work, and have this effect. */
  readonly severity: 'refusal' | 'warning' | 'note';
  readonly message: string;
}
