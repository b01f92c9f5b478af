import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../ipc/protocol.ts';
import type { PeerCredentials } from '../ipc/role.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import { isPlausibleModuleName, moduleName } from '../vocabulary/module-name.ts';

/** Names, words and parameters of one run that are kept, each: `modprobe -a` with more is a script, and its beginning tells which. */
export const BY_HAND_MAX_ITEMS = 256;
/** Characters of a word, value or reason that are kept. */
export const BY_HAND_MAX_CHARS = 512;

/** What /proc/PID/loginuid has where nobody logged in, (uid_t) -1. */
const NO_LOGIN = 0xffff_ffff;

type ByHand = Extract<Incident, { kind: 'modules-by-hand' }>;

/**
 * What a tool says it did → the record of it, cut to its bounds. Who ran it, the kernel says.
 * @throws {UsherdError} USAGE when it is no such thing
 */
export function byHandIncident({ acts }: JsonObject, { uid, pid }: PeerCredentials, procRoot: string): ByHand {
  if (!isJsonObject(acts) || typeof acts['tool'] !== 'string')
    throw new UsherdError('USAGE', 'a note of what was done by hand needs a tool and its acts');
  const loginUid = readLoginUid(procRoot, pid);
  return {
    kind: 'modules-by-hand',
    tool: cut(acts['tool']),
    words: listOf(acts['words'], textOf),
    ...present('inserted', listOf(acts['inserted'], nameOf)),
    ...present('removed', listOf(acts['removed'], nameOf)),
    ...present('ran', listOf(acts['ran'], nameOf)),
    ...present('set', listOf(acts['set'], settingOf)),
    ...present('failed', listOf(acts['failed'], failureOf)),
    uid,
    pid,
    ...(loginUid === undefined ? {} : { loginUid }),
  };
}

/** Source: proc_pid_loginuid(5). */
function readLoginUid(procRoot: string, pid: number): number | undefined {
  try {
    const loginUid = Number(readFileSync(path.join(procRoot, String(pid), 'loginuid'), 'latin1'));
    return loginUid === NO_LOGIN ? undefined : loginUid;
  } catch {
    return undefined;
  }
}

function present<Name extends string, Item>(
  name: Name,
  items: readonly Item[],
): Partial<Record<Name, readonly Item[]>> {
  return items.length === 0 ? {} : ({ [name]: items } as Record<Name, readonly Item[]>);
}

function listOf<Item>(value: Json | undefined, read: (item: Json) => Item | undefined): readonly Item[] {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  return items.slice(0, BY_HAND_MAX_ITEMS).flatMap(item => read(item) ?? []);
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? cut(value) : undefined;
}

function nameOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && isPlausibleModuleName(value) ? moduleName(value) : undefined;
}

function failureOf(value: Json): { readonly module: string; readonly reason: string } | undefined {
  if (!isJsonObject(value)) return undefined;
  const [module, reason] = [nameOf(value['module']), textOf(value['reason'])];
  return module === undefined || reason === undefined ? undefined : { module, reason };
}

function settingOf(value: Json): { module: string; parameter: string; value: string } | undefined {
  if (!isJsonObject(value)) return undefined;
  const [module, parameter, now] = [nameOf(value['module']), textOf(value['parameter']), textOf(value['value'])];
  if (module === undefined || parameter === undefined || now === undefined) return undefined;
  return { module, parameter, value: now };
}

function cut(text: string): string {
  return text.length <= BY_HAND_MAX_CHARS ? text : `${text.slice(0, BY_HAND_MAX_CHARS)}…`;
}
