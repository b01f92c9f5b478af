import { latin1Of, malformed, parseBody, quote, type Arrival, type ParsedMessage } from './uevent-body.ts';

/** Variables of one event, and bytes they have together. Source: linux/kobject.h, UEVENT_NUM_ENVP and UEVENT_BUFFER_SIZE. */
export const KERNEL_VARIABLES_MAX = 64;
export const KERNEL_VARIABLES_MAX_BYTES = 2048;

/**
 * A datagram of the kernel's group, at `start` to `end` of `bytes` → the uevent in it.
 * Shape: `ACTION@DEVPATH` NUL `ACTION=…` NUL `DEVPATH=…` NUL `SUBSYSTEM=…` NUL … `SEQNUM=n` NUL; no nlmsghdr. The header repeats
 * ACTION and DEVPATH; both must agree, or somebody made the message up. Source: lib/kobject_uevent.c.
 */
export function parseKernelMessage(bytes: Buffer, start: number, end: number, arrival: Arrival): ParsedMessage {
  const text = latin1Of(bytes, start, end);
  const headerEnd = text.indexOf('\0');
  if (headerEnd === -1) return malformed('the message has no NUL', text.length);
  const at = text.indexOf('@');
  if (at === -1 || at > headerEnd) return malformed('the header has no "@"', 0);
  const bodyStart = headerEnd + 1;
  if (text.length - bodyStart > KERNEL_VARIABLES_MAX_BYTES) {
    const found = text.length - bodyStart;
    return malformed(
      `the variables have ${found} bytes, the kernel sends at most ${KERNEL_VARIABLES_MAX_BYTES}`,
      bodyStart,
    );
  }
  const parsed = parseBody(bytes, { text, start, bodyStart, variablesMax: KERNEL_VARIABLES_MAX }, arrival);
  if (parsed.kind === 'malformed') return parsed;
  const { action, devpath } = parsed.uevent;
  if (at !== action.length || !text.startsWith(action)) {
    return malformed(`the header says ${quote(text.slice(0, at))}, ACTION says ${quote(action)}`, 0);
  }
  // In a devpath beyond ASCII the header has bytes where DEVPATH has characters.
  const isSame =
    text.startsWith(devpath, at + 1) && headerEnd - at - 1 === devpath.length
      ? true
      : bytes.toString('utf8', start + at + 1, start + headerEnd) === devpath;
  if (isSame) return parsed;
  return malformed(`the header says ${quote(text.slice(at + 1, headerEnd))}, DEVPATH says ${quote(devpath)}`, at + 1);
}
