import { toolCall } from './argv0.ts';

/** better-sqlite3 needs Node-API 10; an older Node does not say so, it crashes. */
const NODE_API_MIN = 10;

/** What a bug ends with, EX_SOFTWARE of sysexits.h. */
const BUG_STATUS = 70;

if (Number(process.versions['napi']) < NODE_API_MIN) {
  process.stderr.write(`usher: this is Node ${process.version}, usherd needs Node 22.20 or later\n`);
  process.exit(1);
}

/** What the process was called as decides what is loaded: a kmod tool, the daemon, or all verbs. */
async function run(): Promise<number> {
  const call = toolCall(process.argv);
  if (call !== undefined) leave(await (await import('./kmod/run-tool-call.ts')).runToolCall(call));
  const [verb, ...words] = process.argv.slice(2);
  const status = verb === undefined ? undefined : await runAlone(verb, words);
  return status ?? (await import('./run-verb.ts')).runVerb();
}

/** Verbs that are called often, or stay: each is a file of its own in dist/, so that the others are not read along with it. */
async function runAlone(verb: string, words: readonly string[]): Promise<number | undefined> {
  switch (verb) {
    case 'daemon':
      return (await import('./start-daemon.ts')).startDaemon(words);
    case 'status':
      return leave(await (await import('./run-status.ts')).runStatus(words));
    case 'why':
      return leave(await (await import('./run-why.ts')).runWhy(words));
    default:
      return undefined;
  }
}

/** Ends after a command whose words are out when it returns: taking Node's heap apart piece by piece would be 1 to 2 ms more. */
function leave(status: number | undefined): undefined {
  if (status !== undefined) process.exit(status);
}

async function main(): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    process.stderr.write(`usher: bug: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = BUG_STATUS;
  }
}

void main();
