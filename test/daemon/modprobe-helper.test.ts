import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { keepRequestAnswers } from '../../core/daemon/request-answers.ts';
import type { PolicyInForce } from '../../core/daemon/policy-in-force.ts';
import { DEFAULT_POLICY, type PolicySettings } from '../../core/pipeline/4-policy/policy-settings.ts';
import { subjectOf } from '../../core/pipeline/4-policy/standing-decisions.ts';
import test, { type ExecutionContext } from 'ava';

const built = path.resolve(import.meta.dirname, '../../dist/usher-modprobe');

/** The helper in a folder of its own, beside an `usher` that only notes its words. */
function makePlace(t: ExecutionContext): {
  readonly dir: string;
  readonly words: string;
  readonly options: readonly string[];
} {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-helper-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  copyFileSync(built, path.join(dir, 'usher-modprobe'));
  writeFileSync(path.join(dir, 'usher'), `#!/bin/sh\nprintf '%s\\n' "$@" >${dir}/words\nexit 7\n`, { mode: 0o755 });
  return {
    dir,
    words: path.join(dir, 'words'),
    options: ['--socket', path.join(dir, 'socket'), '--answers', path.join(dir, 'answers')],
  };
}

/** Runs it as the kernel does → its status. */
async function run(dir: string, options: readonly string[], alias: string): Promise<number | null> {
  const child = spawn(path.join(dir, 'usher-modprobe'), [...options, '-q', '--', alias], { stdio: 'ignore', env: {} });
  await once(child, 'exit');
  return child.exitCode;
}

/** A daemon that says this to whoever asks, and keeps what it was asked. */
async function answering(t: ExecutionContext, dir: string, text: string): Promise<readonly string[]> {
  const asked: string[] = [];
  const server = createServer(socket => {
    socket.on('data', bytes => {
      asked.push(bytes.toString());
      socket.end(text);
    });
    socket.on('error', () => {});
  });
  server.listen(path.join(dir, 'socket'));
  await once(server, 'listening');
  t.teardown(() => server.close());
  return asked;
}

const HELLO = '{"usherd":1,"version":"0","role":"admin"}\n';

test('the daemon is asked by the alias, and its status is the answer', async t => {
  for (const [status, expected] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const { dir, options } = makePlace(t);
    const asked = await answering(t, dir, `${HELLO}{"item":{"status":${status}}}\n{"end":true}\n`);
    t.is(await run(dir, options, 'net-pf-21'), expected);
    t.deepEqual(asked, ['{"usherd":1,"verb":"request-module","params":{"alias":"net-pf-21"}}\n']);
  }
});

test('an alias with quotes, backslashes and bytes of any kind is one JSON string', async t => {
  const { dir, options } = makePlace(t);
  const asked = await answering(t, dir, `${HELLO}{"item":{"status":0}}\n`);
  t.is(await run(dir, options, 'a"b\\c\u0001\n'), 0);
  const [line = ''] = asked;
  t.deepEqual((JSON.parse(line) as { params: object }).params, { alias: 'a"b\\c\u0001\n' });
  t.is(await run(dir, options, 'x'.repeat(2049)), 1);
});

test('a daemon that refuses, or breaks off after it took the request, is a no, and nobody else is asked', async t => {
  for (const answer of [`${HELLO}{"error":{"code":"DAEMON_REFUSED"}}\n`, HELLO]) {
    const { dir, options, words } = makePlace(t);
    await answering(t, dir, answer);
    t.is(await run(dir, options, 'net-pf-21'), 1);
    t.false(existsSync(words));
  }
});

test('without a daemon the kept answers deny, and all else goes to usher modprobe with the very alias', async t => {
  const { dir, options, words } = makePlace(t);
  t.is(await run(dir, options, 'net-pf-21'), 7);
  t.is(readFileSync(words, 'utf8'), 'modprobe\n-q\n--\nnet-pf-21\n');
  rmSync(words);
  const answers = path.join(dir, 'answers');
  writeFileSync(answers, '# made by usherd\ndeny net_pf_21\ndeny char_major_*\n');
  for (const alias of ['net-pf-21', 'char-major-10-229']) t.is(await run(dir, options, alias), 1);
  t.false(existsSync(words));
  t.is(await run(dir, options, 'net-pf-2'), 7);
  writeFileSync(answers, 'allow fs_*\ndeny *\n');
  t.deepEqual([await run(dir, options, 'fs-ext4'), await run(dir, options, 'dccp')], [7, 1]);
});

test('kept answers that somebody else could have written deny everything', async t => {
  const { dir, options } = makePlace(t);
  const answers = path.join(dir, 'answers');
  writeFileSync(answers, 'allow *\n');
  chmodSync(answers, 0o666);
  t.is(await run(dir, options, 'fs-ext4'), 1);
  rmSync(answers);
  symlinkSync('/dev/null', answers);
  t.is(await run(dir, options, 'fs-ext4'), 1);
});

/** A policy that forbids these, with these settings. */
function policyOf(forbidden: readonly string[], settings: Partial<PolicySettings> = {}): PolicyInForce {
  const subjects = forbidden.map(subjectOf).filter(subject => subject !== undefined);
  const forbids = subjects.map(subject => ({ subject, reason: '', uid: 0, atMs: 0 }));
  return {
    decisions: () => ({ forbids, answers: [] }),
    moment: () => ({ nowMs: 1, bootId: 'b' }),
    see: () => undefined,
    settings: () => ({ ...DEFAULT_POLICY, ...settings }),
  };
}

test('what the daemon keeps is what the helper goes by: forbids first, then what may be asked for, then the default', async t => {
  const { dir, options } = makePlace(t);
  const [, socket = ''] = options;
  const kept = ['--socket', socket, '--answers', path.join(dir, 'request-answers')];
  const ask = (alias: string): Promise<number | null> => run(dir, kept, alias);
  keepRequestAnswers(dir, policyOf(['net-pf-*', 'usb-storage']));
  t.deepEqual(
    [await ask('net-pf-21'), await ask('usb-storage'), await ask('usb_storage'), await ask('fs-ext4')],
    [1, 1, 1, 7],
  );
  keepRequestAnswers(dir, policyOf(['fs-rare'], { default: 'deny-unmatched', allowRequests: ['fs-*'] }));
  t.deepEqual([await ask('fs-ext4'), await ask('fs-rare'), await ask('net-pf-21')], [7, 1, 1]);
});
