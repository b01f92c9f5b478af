import { toolCall, type ToolCall } from '../argv0.ts';
import type { GivenOption } from '../kmod/getopt.ts';
import { isSet, textOption } from '../option-values.ts';

/** A command line that a client sends to the daemon, in place of running it itself. */
export interface AskedCommand {
  /** Behind the command's own name. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
}

/** Verbs that only look, and say all they have to say at once; settle waits, and where that is too long for an answer usher itself does. */
const VERBS: readonly string[] = ['why', 'status', 'devices', 'pending', 'settle'];

/** Most entries of the ledger in one answer, which is held in memory. */
export const ENTRIES_MAX = 5000;

/** With it modprobe says nothing of the configuration's options and commands, which not everybody may read. */
const RESOLVING: readonly string[] = ['resolve-alias'];

/** Options of modprobe with which it only looks. */
const LOOKING: readonly string[] = [
  ...RESOLVING,
  'show-depends',
  'show-config',
  'show-modversions',
  'show-exports',
  'dry-run',
  'why',
];

/** What may stand beside those. Any other option of modprobe is left to the caller's own process: it could make it act (-r, -f). */
const HARMLESS: readonly string[] =
  'all quiet verbose use-blacklist ignore-commands first-time json kernel help version config dirname set-version root state-dir'.split(
    ' ',
  );

/** Options whose value is a file or folder. */
const PLACES: readonly string[] = ['config', 'dirname', 'basedir', 'root', 'state-dir'];

/**
 * Whether the daemon may answer a command line: only what changes nothing, does not depend on the folder the caller is in or on its time
 * zone, and reads nothing that the caller might not read: others than root and the daemon's own user name no places, neither in words nor
 * in what the environment adds to them, and are told nothing of the ledger and of modprobe's configuration.
 */
export async function isServable({ words, env, uid }: AskedCommand, daemonUid: number): Promise<boolean> {
  if ((env['TZ'] ?? '') !== (process.env['TZ'] ?? '')) return false;
  const isAdmin = uid === daemonUid || uid === 0;
  if (!isAdmin && [...words, env['MODPROBE_OPTIONS'] ?? ''].some(word => word.includes('/'))) return false;
  const call = toolCall(['', '', ...words]);
  if (call !== undefined) return isServableTool(call, env, isAdmin ? LOOKING : RESOLVING);
  const [verb = '', ...options] = words;
  const isLooking =
    VERBS.includes(verb) ||
    (verb === 'plugin' && options[0] === 'list') ||
    (verb === 'history' && (await isShortHistory(words)));
  return isAdmin && isLooking && options.every((word, at) => isFixedWord(word, options[at - 1] ?? ''));
}

/** A history that ends by itself and has a limit. The verbs below history are words that it does not take. */
async function isShortHistory(words: readonly string[]): Promise<boolean> {
  const { plainWordsOf } = await import('../run-verb.ts');
  const { values } = plainWordsOf(words) ?? {};
  if (values === undefined || isSet(values, 'follow')) return false;
  const limit = textOption(values, 'limit') ?? '';
  return /^\d+$/.test(limit) && Number(limit) <= ENTRIES_MAX;
}

async function isServableTool(call: ToolCall, env: AskedCommand['env'], looking: readonly string[]): Promise<boolean> {
  const { tool } = call;
  if (tool !== 'lsmod' && tool !== 'modinfo' && tool !== 'modprobe') return false;
  const { readToolCall } = await import('../kmod/run-tool-call.ts');
  const { given, operands } = await readToolCall(call, env);
  return (
    (tool !== 'modprobe' || onlyLooks(given, looking)) &&
    !given.some(option => option.name === 'syslog') &&
    given.every(option => !isPlaceOption(option.name) || isAbsolute(option.value ?? '')) &&
    operands.every(isFixedOperand)
  );
}

function onlyLooks(given: readonly GivenOption[], looking: readonly string[]): boolean {
  const isHarmless = (name: string): boolean => HARMLESS.includes(name) || name.endsWith('-root');
  return (
    given.some(({ name }) => looking.includes(name)) &&
    given.every(({ name }) => looking.includes(name) || isHarmless(name))
  );
}

/** A module file that is not named from the root is another one in another folder; what has no such name is no file to modinfo. */
function isFixedOperand(word: string): boolean {
  return isAbsolute(word) || (!word.includes('/') && !/\.ko(?:\.gz|\.xz|\.zst)?$/.test(word));
}

/** A word of a verb, and the one before it: `--root /x`, `--root=/x`, `pci:v…`. */
function isFixedWord(word: string, before: string): boolean {
  if (before.startsWith('--') && isPlaceOption(before.slice(2))) return isAbsolute(word);
  const [, option = '', value = ''] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
  if (option !== '') return !isPlaceOption(option) || isAbsolute(value);
  return isAbsolute(word) || !/^\.{0,2}\//.test(word);
}

function isPlaceOption(name: string): boolean {
  return PLACES.includes(name) || name.endsWith('-root');
}

function isAbsolute(place: string): boolean {
  return place.startsWith('/');
}
