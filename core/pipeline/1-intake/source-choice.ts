import { connect } from 'node:net';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { IntakeGroup } from './admission.ts';

/** What the configuration asks for. */
export type SourceWish = IntakeGroup | 'auto';

/** Which group is listened to, and why, in words for the log. */
export interface SourceChoice {
  readonly group: IntakeGroup;
  readonly why: string;
}

/** `auto` → `udev` where udevd runs, since its rules have then been applied before we hear of a device; else `kernel`. */
export async function chooseSource(wish: SourceWish, { run }: Pick<SystemRoot, 'run'>): Promise<SourceChoice> {
  if (wish !== 'auto') return { group: wish, why: 'the configuration says so' };
  const control = `${run}/udev/control`;
  const answer = await askSocket(control);
  return answer === undefined
    ? { group: 'udev', why: `udevd answers at ${control}` }
    : { group: 'kernel', why: `no udevd answers at ${control} (${answer})` };
}

/**
 * Whether anybody listens at a unix socket: undefined, or the error that says no. udevd's is of the kind SEQPACKET, which Node cannot
 * open: EPROTOTYPE is the kernel's way to say that there is a listener, of another kind (unix(7)).
 */
async function askSocket(file: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EPROTOTYPE' ? undefined : (error.code ?? error.message));
    });
  });
}
