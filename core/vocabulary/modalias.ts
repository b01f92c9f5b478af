/** What a device says it is: `pci:v00008086d000010D3sv…`. Also any other alias a module can be asked for by (`fs-vfat`). */
export type Modalias = string & { readonly __brand: 'Modalias' };

/** Longest alias that is looked up; the kernel's whole uevent buffer is 2,048 bytes (UEVENT_BUFFER_SIZE). */
export const MODALIAS_MAX_BYTES = 2048;

export function modalias(text: string): Modalias {
  return text as Modalias;
}

/**
 * An alias from outside → why it must not be looked up, or undefined when it may be.
 * Control bytes, a leading `-` or `/`, and over-long text never come from a kernel's formatter.
 */
export function modaliasRefusal(text: string): string | undefined {
  if (text.length === 0) return 'it is empty';
  if (text.length > MODALIAS_MAX_BYTES)
    return `it has ${text.length} bytes, at most ${MODALIAS_MAX_BYTES} are looked up`;
  if (text.startsWith('-') || text.startsWith('/')) return `it begins with "${text[0]}"`;
  // oxlint-disable-next-line no-control-regex -- control bytes are what is looked for
  const control = /[\u0000-\u001f\u007f]/.exec(text);
  if (control)
    return `it has the control byte 0x${control[0].charCodeAt(0).toString(16).padStart(2, '0')} at ${control.index}`;
  return undefined;
}
