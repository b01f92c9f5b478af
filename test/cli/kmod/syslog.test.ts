import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { receiveDatagrams } from '../../support/datagram-receiver.ts';
import { whyNoProgram } from '../../support/machine.ts';
import { makeWorld, WORLD_RELEASE } from '../../support/module-world.ts';
import { testUnless } from '../../support/skip-aloud.ts';

const entry = path.resolve(import.meta.dirname, '../../../core/cli/main.ts');
/** LOG_DAEMON | LOG_CRIT, the time of RFC 3164, then what kmod says. */
const NOT_FOUND = /^<26>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d modprobe: FATAL: Module nothing not found/;

interface Run {
  readonly words: readonly string[];
  /** Of the shell, for standard error. */
  readonly redirection: string;
}

/** Runs modprobe for a module that is not there, once for each; the last logs → what reached the log and standard error. */
async function missing(
  t: ExecutionContext,
  runs: readonly Run[],
): Promise<{ readonly logged: readonly string[]; readonly stderr: string; readonly statuses: readonly unknown[] }> {
  const { root } = makeWorld(t, { modules: { 'kernel/a.ko': {} } });
  const dev = path.join(root, 'dev');
  mkdirSync(dev);
  const receiver = await receiveDatagrams(path.join(dev, 'log'));
  const tool = ['modprobe', '--dev-root', dev, '-C', '/dev/null', '-d', root, '-S', WORLD_RELEASE];
  const answers = runs.map(({ words, redirection }) =>
    spawnSync('sh', ['-c', `exec "$@" ${redirection}`, 'sh', process.execPath, entry, ...tool, ...words, 'nothing'], {
      encoding: 'utf8',
    }),
  );
  while (receiver.arrived.length === 0) await pause(10);
  receiver.stop();
  return {
    logged: receiver.arrived,
    stderr: answers.map(({ stderr }) => stderr).join(''),
    statuses: answers.map(({ status }) => status),
  };
}

const declare = testUnless(whyNoProgram('python3'));

declare('modprobe -s says in the system’s log what it would say on standard error', async t => {
  const { logged, stderr, statuses } = await missing(t, [{ words: ['-s'], redirection: '' }]);
  t.is(logged.length, 1);
  t.regex(logged.join('\n'), NOT_FOUND);
  t.deepEqual({ stderr, statuses }, { stderr: '', statuses: [1] });
});

declare(
  'a modprobe without a standard error says it in the log, one whose standard error goes nowhere does not',
  async t => {
    const { logged, statuses } = await missing(t, [
      { words: [], redirection: '2>/dev/null' },
      { words: [], redirection: '2>&-' },
    ]);
    t.is(logged.length, 1);
    t.regex(logged.join('\n'), NOT_FOUND);
    t.deepEqual(statuses, [1, 1]);
  },
);
