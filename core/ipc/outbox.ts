import type { Socket } from 'node:net';
import { UsherdError } from '../errors.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import { MESSAGE_MAX_BYTES } from './protocol.ts';

/** A client that takes no byte for so long is let go, with all that waits for it. */
export const SLOW_READER_MS = 10_000;
/** Bytes that wait for one client, when a handler does not wait for it: two messages of the longest kind. */
export const OUTBOX_MAX_BYTES = 2 * MESSAGE_MAX_BYTES;

/** What is on its way to one client: bounded in size, and in the time it may wait for a client that does not read. */
export class Outbox {
  readonly #socket: Socket;
  readonly #slowReaderMs: number;
  readonly #onSlow: (reason: string) => void;
  #draining: Promise<void> | undefined;

  /** `onSlow` is to end the connection. */
  constructor(socket: Socket, slowReaderMs: number, onSlow: (reason: string) => void) {
    this.#socket = socket;
    this.#slowReaderMs = slowReaderMs;
    this.#onSlow = onSlow;
  }

  /**
   * Sends one message; resolves when there is room for the next.
   * @throws {UsherdError} DAEMON_UNREACHABLE when the client has left, DAEMON_REFUSED when the message is too long
   */
  async send(message: Json): Promise<void> {
    this.#refuseWhenGone();
    const line = `${JSON.stringify(message)}\n`;
    const bytes = Buffer.byteLength(line);
    if (bytes > MESSAGE_MAX_BYTES)
      throw new UsherdError('DAEMON_REFUSED', `an item has ${bytes} bytes, a message may have ${MESSAGE_MAX_BYTES}`);
    if (this.#socket.write(line)) return;
    const waiting = this.#socket.writableLength;
    if (waiting > OUTBOX_MAX_BYTES) this.#onSlow(`${waiting} bytes wait for a client that does not read`);
    else await (this.#draining ??= this.#drained());
    this.#refuseWhenGone();
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const late = `the client took nothing for ${this.#slowReaderMs} ms`;
      const timer = setTimeout(() => this.#onSlow(late), this.#slowReaderMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#socket.off('drain', done).off('close', done);
        this.#draining = undefined;
        resolve();
      };
      this.#socket.once('drain', done).once('close', done);
    });
  }

  #refuseWhenGone(): void {
    if (this.#socket.destroyed) throw new UsherdError('DAEMON_UNREACHABLE', 'the client has left');
  }
}
