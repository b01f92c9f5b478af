import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Message {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/** Speaks with QEMU over its control socket. Source: QEMU Machine Protocol, docs/interop/qmp-spec. */
export class Qmp {
  readonly #socket: Socket;
  readonly #events = new EventEmitter();
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket })
      .on('line', line => this.#take(JSON.parse(line) as Message))
      // A machine that ends resets its sockets: what waits is told by `close`.
      .on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('QEMU has closed its control socket'));
    });
  }

  static async greet(socket: Socket): Promise<Qmp> {
    const qmp = new Qmp(socket);
    await once(qmp.#events, 'greeting');
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /** @throws {Error} with QEMU's description when it refuses */
  execute(command: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = (this.#lastId += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    return waiting.promise;
  }

  /** Resolves when QEMU says it has let go of a device; false when the signal comes first. */
  deviceDeleted(device: string, signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const end = (isDeleted: boolean): void => {
        this.#events.off('DEVICE_DELETED', heard);
        resolve(isDeleted);
      };
      const heard = (data: Message['data']): void => {
        if (data?.['device'] === device) end(true);
      };
      this.#events.on('DEVICE_DELETED', heard);
      signal.addEventListener('abort', () => end(false), { once: true });
    });
  }

  #take(message: Message): void {
    if (message.QMP !== undefined) this.#events.emit('greeting');
    else if (message.event !== undefined) this.#events.emit(message.event, message.data);
    else {
      const waiting = this.#waiting.get(message.id ?? -1);
      this.#waiting.delete(message.id ?? -1);
      if (message.error === undefined) waiting?.resolve(message.return);
      else waiting?.reject(new Error(`QEMU: ${message.error.desc}`));
    }
  }
}
