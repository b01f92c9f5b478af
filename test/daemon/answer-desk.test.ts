import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AnswerDesk } from '../../core/daemon/answer-desk.ts';

/** A desk whose thread does what these lines say with each question, in `asked`. */
function deskThat(t: ExecutionContext, lines: string): AnswerDesk {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-desk-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'thread.cjs');
  writeFileSync(
    file,
    `const port = require('node:worker_threads').parentPort; port.on('message', asked => { ${lines} });`,
  );
  const desk = new AnswerDesk(file);
  // The thread does not keep a process going, as a daemon goes on anyway.
  const goingOn = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(goingOn));
  t.teardown(() => desk.stop());
  return desk;
}

const ask = (desk: AnswerDesk, word: string): ReturnType<AnswerDesk['answer']> =>
  desk.answer({ words: [word], env: {}, uid: 0 });

test('each gets the answer to its own question, whatever their order', async t => {
  const desk = deskThat(
    t,
    `setTimeout(() => port.postMessage({ id: asked.id, status: Number(asked.words[0]) }), 40 / asked.id)`,
  );
  const answers = await Promise.all(['7', '8', '9'].map(word => ask(desk, word)));
  t.deepEqual(
    answers.map(({ status }) => status),
    [7, 8, 9],
  );
});

for (const [how, lines] of [
  ['ends', `process.exit(0)`],
  ['fails', `throw new Error('a bug')`],
  ['has no memory left', `const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()))`],
] as const) {
  test(`who asks a thread that ${how} is left to itself, and the next question goes to another thread`, async t => {
    const desk = deskThat(
      t,
      `if (asked.words[0] !== 'well') { ${lines} } port.postMessage({ id: asked.id, status: 3 })`,
    );
    const { status } = await ask(desk, 'badly');
    t.is(status, undefined);
    t.is((await ask(desk, 'well')).status, 3);
  });
}
