import { toolCall, type ToolCall } from '../argv0.ts';
import { parseWords } from '../kmod/getopt.ts';
import { OUR_GROUP } from '../kmod/common-rows.ts';
import { splitWords } from '../kmod/split-words.ts';
import { loadTool } from '../kmod/tools.ts';

/** A command line that a client sends to the daemon, in place of running it itself. */
export interface AskedCommand {
  /** Behind the command's own name. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
}

/** Verbs that only look, and say all they have to say at once. */
const VERBS: readonly string[] = ['why', 'status', 'devices'];

/** Options of modprobe with which it only looks. */
const LOOKING: readonly string[] = [
  'resolve-alias',
  'show-depends',
  'show-config',
  'show-modversions',
  'show-exports',
  'dry-run',
  'why',
];

/** Options whose value is a file or folder. */
const PLACES: readonly string[] = ['config', 'dirname', 'basedir', 'root', 'state-dir'];

/**
 * Whether the daemon may answer a command line: only what changes nothing, does not depend on the folder the caller is in or on its time
 * zone, and reads nothing that the caller might not read: others than root and the daemon's own user name no places and are told nothing
 * of the ledger.
 */
export async function isServable({ words, env, uid }: AskedCommand, daemonUid: number): Promise<boolean> {
  if ((env['TZ'] ?? '') !== (process.env['TZ'] ?? '')) return false;
  const isAdmin = uid === daemonUid || uid === 0;
  if (!isAdmin && words.some(word => word.includes('/'))) return false;
  const call = toolCall(['', '', ...words]);
  if (call !== undefined) return isServableTool(call, env);
  return isAdmin && VERBS.includes(words[0] ?? '') && words.every((word, at) => isFixedWord(word, words[at - 1] ?? ''));
}

async function isServableTool({ tool: name, words }: ToolCall, env: AskedCommand['env']): Promise<boolean> {
  if (name !== 'lsmod' && name !== 'modinfo' && name !== 'modprobe') return false;
  const tool = await loadTool(name);
  const before = tool.wordsFrom === undefined ? [] : splitWords(env[tool.wordsFrom] ?? '');
  const rows = [...tool.groups, OUR_GROUP].flatMap(group => group.rows);
  const { given, operands } = parseWords([...before, ...words], rows, tool.isStrict);
  const onlyLooks = name !== 'modprobe' || given.some(option => LOOKING.includes(option.name));
  return (
    onlyLooks &&
    !given.some(option => option.name === 'syslog') &&
    given.every(option => !isPlaceOption(option.name) || isAbsolute(option.value ?? '')) &&
    operands.every(isFixedOperand)
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
