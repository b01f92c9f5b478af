import { createHash } from 'node:crypto';
import { request } from 'node:https';

/** Longest a file may take, in ms: 256 MB over a slow line. */
const FETCH_MAX_MS = 60 * 60_000;
/** Longest the other side may say nothing, in ms. */
const SILENCE_MAX_MS = 60_000;

/** What a catalogue pins of a file. */
export interface PinnedFile {
  readonly url: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Fetches one file over TLS and writes it, once its size and SHA-256 are those that are pinned → why it was refused, or undefined.
 * No redirection is followed, since it would lead to a host the catalogue does not name. Runs in a process without privileges.
 */
export function fetchFile(
  { url, sha256, sizeBytes }: PinnedFile,
  write: (bytes: Buffer) => void,
): Promise<string | undefined> {
  if (!url.startsWith('https://')) return Promise.resolve(`${url} is not https`);
  return new Promise(resolve => {
    const call = request(
      url,
      { timeout: SILENCE_MAX_MS, headers: { accept: 'application/octet-stream' } },
      response => {
        const pieces: Buffer[] = [];
        let size = 0;
        if (response.statusCode !== 200) {
          response.destroy();
          resolve(`${url}: the server answers with status ${response.statusCode}; wanted 200`);
          return;
        }
        response.on('data', (piece: Buffer) => {
          size += piece.length;
          if (size > sizeBytes) response.destroy(new Error(`it is longer than the ${sizeBytes} bytes that are pinned`));
          else pieces.push(piece);
        });
        response.once('error', error => resolve(`${url}: ${error.message}`));
        response.once('end', () => {
          const bytes = Buffer.concat(pieces);
          const hash = createHash('sha256').update(bytes).digest('hex');
          if (bytes.length !== sizeBytes)
            resolve(`${url}: it has ${bytes.length} bytes, the catalogue says ${sizeBytes}`);
          else if (hash !== sha256) resolve(`${url}: it has the SHA-256 ${hash}, the catalogue says ${sha256}`);
          else {
            write(bytes);
            resolve(undefined);
          }
        });
      },
    );
    const timer = setTimeout(
      () => call.destroy(new Error(`it took longer than ${FETCH_MAX_MS / 60_000} minutes`)),
      FETCH_MAX_MS,
    );
    call.once('timeout', () => call.destroy(new Error(`nothing came for ${SILENCE_MAX_MS / 1000} s`)));
    call.once('error', error => resolve(`${url}: ${error.message}`));
    call.once('close', () => clearTimeout(timer));
    call.end();
  });
}
