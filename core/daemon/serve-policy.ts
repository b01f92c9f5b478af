import { UsherdError } from '../errors.ts';
import type { Call, Handler } from '../ipc/server.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { ANSWER_SCOPES } from '../pipeline/4-policy/standing-decisions.ts';
import { isFailure } from '../pipeline/6-load/execute-plan.ts';
import { handleRequest } from '../pipeline/pipeline.ts';
import { modaliasRefusal } from '../vocabulary/modalias.ts';
import { applyWish } from './apply-wish.ts';
import { answerHold } from './answer-hold.ts';
import type { Daemon } from './daemon.ts';

/** The verbs of policy that need the daemon. */
export function policyHandlers(daemon: Daemon): Readonly<Record<string, Handler>> {
  return {
    pending: {
      role: 'read',
      handle: async (_params, { respond }) => {
        // Drivers that were proposed wait, too; who asks reads those in the record.
        daemon.ledger.flush();
        for (const item of daemon.policy.pending.items) await respond(item);
      },
    },
    // A modprobe in an install command of a plan that is being carried out asks whether it is.
    'in-flight': {
      role: 'read',
      handle: (_params, { respond }) => respond({ modules: daemon.parts.executor.inFlight }),
    },
    'answer-hold': { role: 'admin', handle: (params, call) => answer(daemon, params, call) },
    'policy-change': { role: 'admin', handle: (params, call) => change(daemon, params, call) },
    'note-override': { role: 'admin', handle: (params, call) => noteOverride(daemon, params, call) },
    'request-module': { role: 'admin', handle: (params, call) => requestModule(daemon, params, call) },
  };
}

async function answer(daemon: Daemon, { id, verdict, scope }: JsonObject, { peer, respond }: Call): Promise<void> {
  const known = ANSWER_SCOPES.find(name => name === scope);
  if (typeof id !== 'number' || known === undefined || (verdict !== 'allow' && verdict !== 'deny'))
    throw new UsherdError('USAGE', 'an answer needs the number of a question, allow or deny, and how long it counts');
  await respond(await answerHold(daemon, { id, verdict, scope: known, uid: peer.uid }));
}

async function change(daemon: Daemon, wish: JsonObject, { peer, respond }: Call): Promise<void> {
  const { policy, options, world } = daemon;
  const answered = applyWish(wish, peer.uid, {
    roots: options.roots,
    world,
    decisions: policy.decisions(),
    moment: policy.moment(),
    change: request => policy.change(request),
  });
  await respond(answered);
}

/** Root passes over the policy with its own modprobe; the record of it is kept here, where the ledger is. */
async function noteOverride(daemon: Daemon, params: JsonObject, { peer, respond }: Call): Promise<void> {
  const { modules, reason, refusal } = params;
  if (!Array.isArray(modules) || typeof reason !== 'string' || typeof refusal !== 'string')
    throw new UsherdError('USAGE', 'an override needs modules, a reason and what refused them');
  daemon.ledger.incident({ kind: 'policy-overridden', uid: peer.uid, modules: modules.map(String), reason, refusal });
  if ((await daemon.ledger.durable()) === 'in-memory')
    throw new UsherdError(
      'FILE_UNWRITABLE',
      'the ledger takes no rows: without a record the policy is not passed over',
    );
  await respond({});
}

/** request_module: the kernel's helper asks. `status` is what modprobe would have ended with. */
async function requestModule(daemon: Daemon, { alias }: JsonObject, { peer, respond }: Call): Promise<void> {
  if (typeof alias !== 'string') throw new UsherdError('USAGE', 'a request needs an alias');
  const refusal = modaliasRefusal(alias);
  if (refusal !== undefined) throw new UsherdError('USAGE', `the alias is not looked up: ${refusal}`);
  const facts = { asker: 'kernel', asked: alias, uid: peer.uid } as const;
  const { plans, outcomes } = await handleRequest({ kind: 'kernel', alias }, facts, daemon.parts);
  const optional = new Set(plans.flatMap(({ steps }) => steps.filter(step => !step.required).map(step => step.module)));
  const failed = outcomes.find(outcome => isFailure(outcome) && !optional.has(outcome.module));
  const reason = failed === undefined ? undefined : 'reason' in failed ? failed.reason : `${failed.module} was refused`;
  await respond({
    status: plans.length === 0 || failed !== undefined ? 1 : 0,
    ...(reason === undefined ? {} : { reason }),
  });
}
