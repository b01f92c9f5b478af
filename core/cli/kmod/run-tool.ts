import { UsherdError } from '../../errors.ts';
import { systemRoot, type RootOptions } from '../../kernel/system-root.ts';
import { VERSION } from '../../version.ts';
import { OUR_GROUP } from './common-rows.ts';
import { parseWords, type GivenOption, type ParsedWords } from './getopt.ts';
import { HandActs } from './hand-acts.ts';
import { splitWords } from './split-words.ts';
import { helpText } from './tool-help.ts';
import { ToolLog } from './tool-log.ts';
import { ToolExit } from './tool-exit.ts';
import type { ToolHost } from './tool-host.ts';
import type { KmodTool, ToolRun } from './tool.ts';

/** The kmod whose behaviour this is, as its tools print it: the first line scripts compare, the second they search for `+XZ`. */
export const KMOD_VERSION_LINES = ['kmod version 30', '+ZSTD +XZ +ZLIB +LIBCRYPTO -EXPERIMENTAL'] as const;

/** Words behind a tool's name, with those its environment puts before them → options and operands. */
export function readToolWords(tool: KmodTool, words: readonly string[], env: ToolHost['env']): ParsedWords {
  const before = tool.wordsFrom === undefined ? [] : splitWords(env[tool.wordsFrom] ?? '');
  const rows = [...tool.groups, OUR_GROUP].flatMap(group => group.rows);
  return parseWords([...before, ...words], rows, tool.isStrict);
}

/** Words behind the tool's name → its exit status. Nothing is thrown but bugs. */
export async function runTool(tool: KmodTool, words: readonly string[], host: ToolHost): Promise<number> {
  try {
    return await callTool(tool, words, host);
  } catch (error) {
    if (error instanceof ToolExit) return error.status;
    if (!(error instanceof UsherdError)) throw error;
    host.err(`${tool.name}: ERROR: ${error.message}\n  ${error.hint}\n`);
    return 1;
  }
}

async function callTool(tool: KmodTool, words: readonly string[], host: ToolHost): Promise<number> {
  const { given, operands, refusal } = readToolWords(tool, words, host.env);
  for (const { name } of given) {
    if (name === 'help') {
      host.out(helpText(tool));
      return 0;
    }
    if (name === 'version') {
      host.out(`${[...KMOD_VERSION_LINES, `usherd ${VERSION}`].join('\n')}\n`);
      return 0;
    }
  }
  if (refusal !== undefined) {
    host.err(`${tool.name}: ${refusal}\n`);
    return 1;
  }
  const log = new ToolLog(tool.name, host);
  const run = runOf({ tool, given, operands }, host, log);
  try {
    await openSyslog(tool, given, host, log);
    return await tool.run(run);
  } finally {
    await tellActs(run, words);
  }
}

/** A run that did something is told to the daemon, also when a FATAL ended it. */
async function tellActs({ tool, acts, roots, host }: ToolRun, words: readonly string[]): Promise<void> {
  const done = acts.of(tool.name, words);
  if (done === undefined) return;
  const { tellByHand } = await import('../../daemon/tell-by-hand.ts');
  await tellByHand(roots, host, done);
}

function runOf(
  { tool, given, operands }: Pick<ToolRun, 'tool' | 'given' | 'operands'>,
  host: ToolHost,
  log: ToolLog,
): ToolRun {
  const valuesOf = (name: string): readonly string[] =>
    given.flatMap(option => (option.name === name && option.value !== undefined ? [option.value] : []));
  const valueOf = (name: string): string | undefined => valuesOf(name).at(-1);
  return {
    tool,
    host,
    log,
    roots: systemRoot(rootOptions(valueOf), host),
    given,
    operands,
    has: name => given.some(option => option.name === name),
    valueOf,
    valuesOf,
    acts: new HandActs(),
  };
}

function rootOptions(valueOf: ToolRun['valueOf']): RootOptions {
  return {
    root: valueOf('root'),
    sysRoot: valueOf('sys-root'),
    procRoot: valueOf('proc-root'),
    devRoot: valueOf('dev-root'),
    modulesRoot: valueOf('modules-root'),
    configRoot: valueOf('config-root'),
    stateDir: valueOf('state-dir'),
  };
}

/** With -s messages go to /dev/log; those of modprobe, which the kernel starts without a standard error, do so then, too. */
async function openSyslog(tool: KmodTool, given: readonly GivenOption[], host: ToolHost, log: ToolLog): Promise<void> {
  const isAsked = given.some(({ name }) => name === 'syslog');
  if (!isAsked && !(tool.name === 'modprobe' && host.isErrClosed?.() === true)) return;
  const { sendDatagram } = await import('../../kernel/unix-socket.ts');
  const dev = given.findLast(({ name }) => name === 'dev-root')?.value ?? '/dev';
  log.syslog = bytes => {
    sendDatagram(`${dev}/log`, bytes);
  };
}
