import { createServer, type Server, type Socket } from 'node:net';
import { UsherdError } from '../errors.ts';
import { toJson } from '../pipeline/8-report/json.ts';
import { LineReader } from './line-reader.ts';
import { Outbox, SLOW_READER_MS } from './outbox.ts';
import {
  errorMessage,
  MESSAGE_MAX_BYTES,
  parseRequest,
  PROTOCOL_VERSION,
  type JsonObject,
  type Request,
} from './protocol.ts';
import { mayUse, roleOf, type PeerCredentials, type Role } from './role.ts';
import { socketFd } from './socket-fd.ts';
import { prepareSocketPlace } from './socket-place.ts';

/** Connections of one user who is no admin: a person with some terminals and a status bar. */
export const CLIENTS_PER_USER_MAX = 16;
/** Connections in all. Users cannot take the last ADMIN_RESERVE of them, so that root always gets through. */
export const CLIENTS_MAX = 128;
export const ADMIN_RESERVE = 32;
/** A client states its request within this time after it connected. */
export const REQUEST_WAIT_MS = 5000;
/** A client that was refused may take so long to read why, and to send what is thrown away. */
export const REFUSED_STAY_MS = 1000;

/** Why a connection was ended before its answer was whole. */
export type RefusalKind =
  | 'unknown-peer'
  | 'too-many-clients'
  | 'request-too-long'
  | 'bad-request'
  | 'no-request'
  | 'unknown-verb'
  | 'role'
  | 'slow-reader';

export interface Refusal {
  readonly kind: RefusalKind;
  readonly reason: string;
  /** Absent when the kernel did not say. */
  readonly peer?: PeerCredentials;
  readonly verb?: string;
}

/** What a handler has besides its parameters. */
export interface Call {
  readonly peer: PeerCredentials;
  readonly role: Role;
  /** Aborted when the client has left; a handler that follows something ends then. */
  readonly signal: AbortSignal;
  /** Sends one item; resolves when there is room for the next. Rejects when the client has left. */
  readonly respond: (item: unknown) => Promise<void>;
}

export interface Handler {
  /** Least role that may use the verb. */
  readonly role: Role;
  /** @throws {UsherdError} which is what the client then gets */
  handle(params: JsonObject, call: Call): Promise<void>;
}

export interface ServerOptions {
  readonly socketPath: string;
  /** usherd's own, told in the hello. */
  readonly version: string;
  readonly handlers: Readonly<Record<string, Handler>>;
  /** SO_PEERCRED of a file descriptor. When it throws, the connection is refused. */
  readonly peerCredentials: (fd: number) => PeerCredentials;
  readonly daemonUid: number;
  readonly onRefusal?: (refusal: Refusal) => void;
  /** A handler failed in a way nobody expected. */
  readonly onBug?: (error: unknown, verb: string) => void;
  readonly requestWaitMs?: number;
  readonly slowReaderMs?: number;
}

export interface ServerStats {
  readonly clients: number;
  readonly served: number;
  readonly refused: Readonly<Partial<Record<RefusalKind, number>>>;
}

interface Client {
  readonly socket: Socket;
  readonly peer: PeerCredentials;
  readonly role: Role;
}

/** The daemon's side of the socket: one request per connection, answered by the handler of its verb, if the peer's role allows. */
export class IpcServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #refused = new Map<RefusalKind, number>();
  #served = 0;

  /**
   * Listens at `socketPath`. The socket's mode is 0666: who may do what is decided by the kernel's word on who connected, in one
   * place, and not by a group whose members nobody remembers.
   * @throws {UsherdError} DAEMON_RUNNING, SOCKET_UNUSABLE
   */
  static async listen(options: ServerOptions): Promise<IpcServer> {
    await prepareSocketPlace(options.socketPath, options.daemonUid);
    const server = new IpcServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', error =>
        reject(new UsherdError('SOCKET_UNUSABLE', `${options.socketPath}: ${error.message}`, {}, error)),
      );
      server.#server.listen({ path: options.socketPath, readableAll: true, writableAll: true }, resolve);
    });
    return server;
  }

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#server = createServer(socket => this.#admit(socket));
  }

  stats(): ServerStats {
    return { clients: this.#clients.size, served: this.#served, refused: Object.fromEntries(this.#refused) };
  }

  /** Takes no more clients and lets go of those there are. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    for (const { socket } of this.#clients) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): void {
    // What goes wrong with a client's socket ends in its close event; nobody else has to hear of it.
    socket.on('error', () => {});
    let peer: PeerCredentials;
    try {
      peer = this.#options.peerCredentials(socketFd(socket));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.#refuse(socket, { kind: 'unknown-peer', reason: `it is not known who asks: ${why}` });
    }
    const client = { socket, peer, role: roleOf(peer, this.#options.daemonUid) };
    const crowd = this.#crowdRefusal(client);
    if (crowd !== undefined) return this.#refuse(socket, { kind: 'too-many-clients', reason: crowd, peer });
    this.#clients.add(client);
    socket.once('close', () => this.#clients.delete(client));
    this.#readRequest(client);
    return undefined;
  }

  #crowdRefusal({ peer, role }: Client): string | undefined {
    const total = this.#clients.size;
    if (role === 'admin')
      return total >= CLIENTS_MAX ? `${total} clients are connected, at most ${CLIENTS_MAX} may be` : undefined;
    const own = [...this.#clients].filter(client => client.peer.uid === peer.uid).length;
    if (own >= CLIENTS_PER_USER_MAX)
      return `uid ${peer.uid} has ${own} connections, at most ${CLIENTS_PER_USER_MAX} may be`;
    const most = CLIENTS_MAX - ADMIN_RESERVE;
    return total >= most ? `${total} clients are connected, at most ${most} may be` : undefined;
  }

  #readRequest(client: Client): void {
    const { socket, peer } = client;
    const reader = new LineReader(MESSAGE_MAX_BYTES);
    const waitMs = this.#options.requestWaitMs ?? REQUEST_WAIT_MS;
    const timer = setTimeout(() => {
      this.#refuse(socket, { kind: 'no-request', reason: `no request came within ${waitMs} ms`, peer });
    }, waitMs);
    socket.once('close', () => clearTimeout(timer));
    const onData = (bytes: Buffer): void => {
      const lines = reader.push(bytes);
      if (lines !== 'too-long' && lines.length === 0) return;
      clearTimeout(timer);
      socket.off('data', onData);
      if (lines === 'too-long')
        return this.#refuse(socket, {
          kind: 'request-too-long',
          reason: `the request is longer than ${MESSAGE_MAX_BYTES} bytes`,
          peer,
        });
      if (lines.length > 1 || reader.heldBytes > 0)
        return this.#refuse(socket, { kind: 'bad-request', reason: 'more than one request came', peer });
      // Read on, to see the client leave; what it still sends is thrown away.
      socket.resume();
      return this.#serve(client, lines[0] ?? '');
    };
    socket.on('data', onData);
  }

  #serve(client: Client, line: string): void {
    const { socket, peer, role } = client;
    const request = parseRequest(line);
    if ('refusal' in request) return this.#refuse(socket, { kind: 'bad-request', reason: request.refusal, peer });
    const { handlers, version } = this.#options;
    const { verb } = request;
    const handler = Object.hasOwn(handlers, verb) ? handlers[verb] : undefined;
    if (!handler)
      return this.#refuse(socket, {
        kind: 'unknown-verb',
        reason: `there is no verb ${verb}; there are ${Object.keys(handlers).join(', ')}`,
        peer,
        verb,
      });
    if (!mayUse(role, handler.role))
      return this.#refuse(socket, {
        kind: 'role',
        reason: `${verb} needs the role ${handler.role}, and uid ${peer.uid} has ${role}`,
        peer,
        verb,
      });
    socket.write(`${JSON.stringify({ usherd: PROTOCOL_VERSION, version, role })}\n`);
    void this.#answer(client, handler, request);
    return undefined;
  }

  async #answer({ socket, peer, role }: Client, handler: Handler, { verb, params }: Request): Promise<void> {
    const leaving = new AbortController();
    socket.once('close', () => leaving.abort());
    const { signal } = leaving;
    const slowReaderMs = this.#options.slowReaderMs ?? SLOW_READER_MS;
    const outbox = new Outbox(socket, slowReaderMs, reason =>
      this.#drop(socket, { kind: 'slow-reader', reason, peer, verb }),
    );
    const respond = (item: unknown): Promise<void> => outbox.send({ item: toJson(item) });
    try {
      await handler.handle(params, { peer, role, signal, respond });
      if (!signal.aborted) socket.end('{"end":true}\n');
    } catch (error) {
      if (signal.aborted) return;
      const expected = error instanceof UsherdError;
      if (!expected) this.#options.onBug?.(error, verb);
      const told = expected
        ? error
        : new UsherdError('DAEMON_REFUSED', `${verb} failed in the daemon; its log says how`);
      socket.end(`${JSON.stringify(errorMessage(told, toJson(told.details)))}\n`);
    } finally {
      this.#served++;
    }
  }

  /** Tells the client why, and ends. */
  #refuse(socket: Socket, refusal: Refusal): void {
    this.#count(refusal);
    const error = new UsherdError('DAEMON_REFUSED', refusal.reason);
    const text = `${JSON.stringify(errorMessage(error, { kind: refusal.kind }))}\n`;
    // Who was not let in is counted nowhere, and must not stay.
    if (![...this.#clients].some(client => client.socket === socket)) {
      socket.end(text, () => socket.destroy());
      return;
    }
    // To close with something unread would reset the connection, and the client might lose what it is told.
    socket.resume();
    socket.end(text);
    const timer = setTimeout(() => socket.destroy(), REFUSED_STAY_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  /** Ends without a word: the client does not read. */
  #drop(socket: Socket, refusal: Refusal): void {
    if (socket.destroyed) return;
    this.#count(refusal);
    socket.destroy();
  }

  #count(refusal: Refusal): void {
    this.#refused.set(refusal.kind, (this.#refused.get(refusal.kind) ?? 0) + 1);
    this.#options.onRefusal?.(refusal);
  }
}
