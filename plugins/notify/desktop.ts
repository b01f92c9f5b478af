import { readdirSync, statSync } from 'node:fs';
import type { Message } from './message.ts';
import { PermanentError } from './outbox.ts';
import { runCommand } from './run-command.ts';

/** Somebody who is logged in and has a bus that desktop notifications go over. */
export interface Session {
  readonly uid: number;
  readonly gid: number;
  readonly bus: string;
}

/** Source: file-hierarchy(7), /run/user/$UID; the session bus is where systemd and elogind put it. */
export function findSessions(runUserDir: string, uids: readonly number[] | undefined): readonly Session[] {
  let names: readonly string[];
  try {
    names = readdirSync(runUserDir);
  } catch {
    return [];
  }
  return names.flatMap(name => {
    const bus = `${runUserDir}/${name}/bus`;
    const owner = statSync(`${runUserDir}/${name}`, { throwIfNoEntry: false });
    const uid = Number(name);
    // A folder that is not its user's own would have us run a program as somebody else.
    if (!/^\d+$/.test(name) || owner?.uid !== uid || (uids !== undefined && !uids.includes(uid))) return [];
    return statSync(bus, { throwIfNoEntry: false })?.isSocket() === true ? [{ uid, gid: owner.gid, bus }] : [];
  });
}

export interface DesktopOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly program?: string;
}

/** Shows a message on the desktops of these sessions, each as its own user. Source: notify-send(1), Desktop Notifications Specification. */
export async function notifyDesktops(
  sessions: readonly Session[],
  { occasion, title, text }: Message,
  { timeoutMs, signal, program = 'notify-send' }: DesktopOptions,
): Promise<void> {
  if (sessions.length === 0) throw new PermanentError('nobody is logged in with a desktop');
  const urgency = occasion === 'info' || occasion === 'unmatched' ? 'normal' : 'critical';
  const words = [
    program,
    '--app-name=usherd',
    `--urgency=${urgency}`,
    '--icon=drive-removable-media',
    '--',
    title,
    escapeMarkup(text),
  ];
  const ownUid = process.getuid?.();
  const results = await Promise.allSettled(
    sessions.map(({ uid, gid, bus }) => {
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` };
      return runCommand({ words, timeoutMs, env, signal, ...(uid === ownUid ? {} : { user: { uid, gid } }) });
    }),
  );
  const failed = results.find(result => result.status === 'rejected');
  if (failed !== undefined && !results.some(({ status }) => status === 'fulfilled')) throw failed.reason as Error;
}

/** The body of a notification may have markup; a device's name must not. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
