/** A kernel's release, as `uname -r` prints it: `6.1.0-56-amd64`. Names a folder below /lib/modules. */
export type KernelRelease = string & { readonly __brand: 'KernelRelease' };

/** Text → a release, or undefined when it could not name one folder. */
export function parseKernelRelease(text: string): KernelRelease | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}$/.test(text) ? (text as KernelRelease) : undefined;
}
