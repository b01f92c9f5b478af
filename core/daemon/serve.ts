import { UsherdError } from '../errors.ts';
import { IpcServer, type Call, type Handler } from '../ipc/server.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import { native } from '../kernel/native.ts';
import { errnoName } from '../vocabulary/errno.ts';
import { VERSION } from '../version.ts';
import type { AnswerDesk } from './answer-desk.ts';
import type { Daemon } from './daemon.ts';
import { byHandIncident } from './note-by-hand.ts';
import { answerHandler } from './serve-answers.ts';
import { policyHandlers } from './serve-policy.ts';
import { statusOf } from './status.ts';
import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** Longest a client may have the daemon wait for it; two minutes are what udevadm gives settle. */
const SETTLE_MAX_MS = 120_000;

/** Reports held for a client that follows and reads too slowly; beyond it the oldest go, and it is told how many. */
const FOLLOWED_HELD_MAX = 4096;

/** Opens the daemon's socket. @throws {UsherdError} DAEMON_RUNNING, SOCKET_UNUSABLE */
export function serveDaemon(daemon: Daemon, answers: AnswerDesk): Promise<IpcServer> {
  return IpcServer.listen({
    socketPath: daemon.options.roots.sockets[0],
    version: VERSION,
    handlers: { ...handlersOf(daemon), answer: answerHandler(answers, daemon.ledger) },
    peerCredentials,
    daemonUid: process.getuid?.() ?? 0,
    onRefusal: ({ reason, verb = '', peer }) =>
      daemon.ledger.incident({ kind: 'request-refused', verb, uid: peer?.uid ?? -1, reason }),
    onBug: (error, verb) =>
      daemon.reporter.emit('notice', 'error', `bug: the request ${verb} failed: ${String(error)}`),
  });
}

function handlersOf(daemon: Daemon): Readonly<Record<string, Handler>> {
  return {
    status: { role: 'read', handle: (_params, { respond }) => respond(statusOf(daemon)) },
    settle: { role: 'read', handle: (params, call) => settle(daemon, params, call) },
    monitor: { role: 'read', handle: (_params, call) => follow(daemon, call) },
    ...policyHandlers(daemon),
    'note-by-hand': { role: 'admin', handle: (params, call) => noteByHand(daemon, params, call) },
    'driver-note': { role: 'admin', handle: (params, call) => noteDriver(daemon, params, call) },
    plugins: {
      role: 'read',
      handle: async (_params, { respond }) => {
        for (const plugin of daemon.plugins.list()) await respond(plugin);
      },
    },
    'plugin-restart': {
      role: 'admin',
      handle: async ({ name }, { respond }) => {
        const text = typeof name === 'string' ? name : '';
        if (!(await daemon.plugins.restart(text))) throw new UsherdError('NOT_FOUND', `there is no plugin "${text}"`);
        await respond(daemon.plugins.list().find(plugin => plugin.name === text) ?? {});
      },
    },
    prune: {
      role: 'admin',
      handle: async (_params, { peer, respond }) => {
        await respond({ rows: await daemon.prune(peer.uid) });
      },
    },
    reload: {
      role: 'admin',
      handle: async (_params, { peer, respond }) => {
        daemon.reload(peer.uid);
        await respond({ reloaded: true });
      },
    },
  };
}

/** What an install command of a plan of ours runs is no act by hand: the plan is on record. */
async function noteByHand(
  { ledger, options, parts }: Daemon,
  params: JsonObject,
  { peer, respond }: Call,
): Promise<void> {
  const incident = byHandIncident(params, peer, options.roots.proc);
  const isOurs = parts.executor.inFlight.some(module => module === params['installing']);
  if (!isOurs) {
    ledger.incident(incident);
    await ledger.durable();
  }
  await respond({});
}

/** What installs a driver is a process of its own; the ledger has one writer, and that is the daemon. */
async function noteDriver({ ledger }: Daemon, { incident }: JsonObject, { respond }: Call): Promise<void> {
  const note = incident as Partial<Incident> | undefined;
  if (note?.kind !== 'driver-transaction')
    throw new UsherdError('USAGE', 'a note of a driver needs an incident of that kind');
  ledger.incident(note as Incident);
  await ledger.durable();
  await respond({});
}

async function settle(daemon: Daemon, { timeoutMs }: JsonObject, { signal, respond }: Call): Promise<void> {
  const wait = Math.min(typeof timeoutMs === 'number' ? timeoutMs : SETTLE_MAX_MS, SETTLE_MAX_MS);
  const startedAt = monotonicMs();
  const isSettled = await daemon.settle(AbortSignal.any([signal, AbortSignal.timeout(wait)]));
  if (!isSettled) {
    throw new UsherdError('TIMED_OUT', `${daemon.queue.size} events are still being dealt with after ${wait} ms`, {
      waiting: daemon.queue.size,
    });
  }
  daemon.ledger.flush();
  await respond({ settled: true, tookMs: monotonicMs() - startedAt });
}

/** Sends each event as it comes, and what was done about it once that is known. */
async function follow({ reporter }: Daemon, { signal, respond }: Call): Promise<void> {
  const held: object[] = [];
  let missed = 0;
  let wake: (() => void) | undefined;
  const hold = (item: object): void => {
    held.push(item);
    if (held.length > FOLLOWED_HELD_MAX) {
      held.shift();
      missed += 1;
    }
    wake?.();
  };
  const onReceived = (event: object): void => hold({ kind: 'received', event });
  const onHandled = (handled: object): void => hold({ kind: 'handled', ...handled });
  reporter.on('received', onReceived).on('handled', onHandled);
  signal.addEventListener('abort', () => wake?.());
  try {
    while (!signal.aborted) {
      if (missed > 0) await respond({ kind: 'missed', count: missed });
      missed = 0;
      const item = held.shift();
      if (item !== undefined) await respond(item);
      else {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    }
  } finally {
    reporter.off('received', onReceived).off('handled', onHandled);
  }
}

function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  const answer = native().peerCredentials(fd);
  if (typeof answer === 'number') throw new Error(`SO_PEERCRED: ${errnoName(-answer)}`);
  return answer;
}
