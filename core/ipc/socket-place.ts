import { chmodSync, lstatSync, mkdirSync, unlinkSync, type Stats } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { UsherdError } from '../errors.ts';

/** Longest path a unix socket can have: sun_path less the closing NUL, unix(7). */
const SOCKET_PATH_MAX_BYTES = 107;

/**
 * Makes ready the place where the daemon will listen: its folder, 0755 and ours, because whoever can write there can put a socket
 * of their own in the place of ours; and no socket left of a daemon that was killed. A socket on which somebody answers stays.
 * @throws {UsherdError} DAEMON_RUNNING, SOCKET_UNUSABLE
 */
export async function prepareSocketPlace(socketPath: string, ownUid: number): Promise<void> {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > SOCKET_PATH_MAX_BYTES)
    throw unusable(socketPath, `its path has ${bytes} bytes, a socket's may have ${SOCKET_PATH_MAX_BYTES}`);
  prepareFolder(path.dirname(socketPath), ownUid);
  const found = lstatSync(socketPath, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(socketPath, 'something that is no socket stands there');
  if (await isAnswered(socketPath))
    throw new UsherdError('DAEMON_RUNNING', `${socketPath}: another usherd answers there`, { socketPath });
  unlinkSync(socketPath);
}

function prepareFolder(folder: string, ownUid: number): void {
  let stats: Stats;
  try {
    if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
    stats = lstatSync(folder);
  } catch (error) {
    throw unusable(folder, error instanceof Error ? error.message : String(error), error);
  }
  if (!stats.isDirectory()) throw unusable(folder, 'it is no folder');
  if (stats.uid !== ownUid) throw unusable(folder, `it belongs to uid ${stats.uid}, not to ${ownUid}`);
  if ((stats.mode & 0o022) !== 0)
    throw unusable(folder, `others may write there (mode ${(stats.mode & 0o7777).toString(8)}, wanted 755)`);
}

/** Whether a connection is taken. Any refusal but "nobody listens" counts as an answer, so that nothing in use is removed. */
function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', error => {
      const code = 'code' in error ? error.code : undefined;
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function unusable(place: string, why: string, cause?: unknown): UsherdError {
  return new UsherdError('SOCKET_UNUSABLE', `${place}: ${why}`, { place }, cause);
}
