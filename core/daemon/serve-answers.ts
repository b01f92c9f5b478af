import type { Handler } from '../ipc/server.ts';
import { isJsonObject } from '../ipc/protocol.ts';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import type { AnswerDesk } from './answer-desk.ts';

/** Words of a command line; a client of ours sends no more. */
const WORDS_MAX = 8192;
/** Bytes of one reply's text in base64: several fill a line of the protocol. */
const PIECE_MAX_CHARACTERS = 512 * 1024;

/** `answer`: what a command line prints, so that a client need not start Node for it. It reads the record, which has all that was done by then. */
export function answerHandler(desk: AnswerDesk, ledger: Pick<Ledger, 'flush'>): Handler {
  return {
    role: 'read',
    handle: async ({ words, env, columns }, { peer, respond }) => {
      const isAsked =
        Array.isArray(words) && words.length <= WORDS_MAX && words.every(word => typeof word === 'string');
      if (isAsked) ledger.flush();
      const answer = isAsked
        ? await desk.answer({
            words,
            env: textsOf(env),
            uid: peer.uid,
            ...(typeof columns === 'number' ? { columns } : {}),
          })
        : {};
      const { status, pieces = [] } = answer;
      if (status === undefined) {
        await respond({ served: false });
        return;
      }
      await respond({ served: true });
      for (const { fd, base64 } of pieces) {
        // A piece is cut between whole bytes: four characters are three.
        for (let at = 0; at < base64.length; at += PIECE_MAX_CHARACTERS) {
          const part = base64.slice(at, at + PIECE_MAX_CHARACTERS);
          await respond(fd === 1 ? { out: part } : { err: part });
        }
      }
      await respond({ status });
    },
  };
}

function textsOf(value: Json | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
