import type { ExecutionContext } from 'ava';
import { KMOD_TOOLS } from '../../core/cli/kmod/kmod-verbs.ts';
import { runTool } from '../../core/cli/kmod/run-tool.ts';
import { runKmod, type KmodAnswer, type KmodToolName } from './module-world.ts';

/** Runs one of our tools in this process; bytes come back as one character each, as runKmod gives them. */
export async function runOurs(
  name: KmodToolName,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<KmodAnswer> {
  const tool = KMOD_TOOLS.find(candidate => candidate.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const status = await runTool(tool, words, {
    out: bytes => out.push(Buffer.from(bytes)),
    err: text => err.push(Buffer.from(text)),
    env,
    uid: process.getuid?.() ?? 0,
  });
  return { stdout: Buffer.concat(out).toString('latin1'), stderr: Buffer.concat(err).toString('latin1'), status };
}

/** Asserts that our tool and Debian's print the same on standard output and end with the same status. @returns our answer */
export async function sameAsKmod(
  t: ExecutionContext,
  name: KmodToolName,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<KmodAnswer> {
  const theirs = runKmod(name, words, env);
  const ours = await runOurs(name, words, env);
  const asked = [name, ...words].join(' ');
  t.deepEqual(
    { asked, stdout: ours.stdout, status: ours.status },
    { asked, stdout: theirs.stdout, status: theirs.status },
  );
  return ours;
}
