/**
 * A thread of the daemon that answers command lines which only look, as the command itself would: the same tools and verbs, writing into
 * memory. In a thread, so that an event never waits for an answer.
 */
import { parentPort } from 'node:worker_threads';
import { Writable } from 'node:stream';
import type { Answer, AskedAnswer } from '../../daemon/answer-desk.ts';
import { toolCall } from '../argv0.ts';
import { isServable, type AskedCommand } from './servable.ts';

/** What a command printed, in the order it printed it. */
type Pieces = { readonly fd: 1 | 2; readonly bytes: Buffer }[];

parentPort?.on('message', (asked: AskedAnswer) => void reply(asked));

async function reply({ id, ...asked }: AskedAnswer): Promise<void> {
  let answer: Answer = { id };
  try {
    answer = { id, ...(await run(asked)) };
  } catch {
    // A bug shows itself where the command then runs, with its stack.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  parentPort?.postMessage(answer);
}

async function run(asked: Omit<AskedAnswer, 'id'>): Promise<Omit<Answer, 'id'>> {
  const { words, env, columns } = asked;
  const command: AskedCommand = { ...asked, words: words.map(fromBytes), env: mapValues(env, fromBytes) };
  if (!(await isServable(command, process.getuid?.() ?? 0))) return {};
  const pieces: Pieces = [];
  const status = await runInto(pieces, command, columns);
  return { status, pieces: pieces.map(({ fd, bytes }) => ({ fd, base64: bytes.toString('base64') })) };
}

async function runInto(
  pieces: Pieces,
  { words, env, uid }: AskedCommand,
  columns: number | undefined,
): Promise<number> {
  const keep = (fd: 1 | 2, content: string | Buffer): void => {
    const bytes = Buffer.from(content);
    const last = pieces.at(-1);
    if (last?.fd === fd) pieces.splice(-1, 1, { fd, bytes: Buffer.concat([last.bytes, bytes]) });
    else pieces.push({ fd, bytes });
  };
  const call = toolCall(['', '', ...words]);
  if (call !== undefined) {
    const { runToolFor } = await import('../kmod/run-tool-call.ts');
    return runToolFor(call, { out: bytes => keep(1, bytes), err: text => keep(2, text), env, uid });
  }
  const { runVerbFor } = await import('../run-verb.ts');
  const stream = (fd: 1 | 2): Writable =>
    new Writable({
      decodeStrings: false,
      write: (content: string | Buffer, _encoding, done) => {
        keep(fd, content);
        done();
      },
    });
  const stdout = columns === undefined ? stream(1) : Object.assign(stream(1), { isTTY: true, columns });
  return runVerbFor(words, { stdout, stderr: stream(2), env, uid, signal: new AbortController().signal });
}

/** A client writes bytes beyond ASCII as the code points of the same numbers. */
function fromBytes(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
