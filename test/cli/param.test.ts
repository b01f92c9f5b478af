import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { runWords } from '../../core/cli/run-verb.ts';
import { VERBS } from '../../core/cli/verbs.ts';
import { makeWorld, runKmod, WORLD_RELEASE } from '../support/module-world.ts';

async function usher(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const { signal } = new AbortController();
  const status = await runWords(words, VERBS, { stdout, stderr, env: {}, uid: 0, signal });
  const text = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';
  return { status, stdout: text(stdout), stderr: text(stderr) };
}

function world(t: ExecutionContext): { at: readonly string[]; root: string } {
  const { root } = makeWorld(t, {
    modules: {
      'kernel/snd-thing.ko': {
        modinfo: [
          ['parm', 'index:which card'],
          ['parmtype', 'index:int'],
          ['parmtype', 'hidden:bool'],
        ],
      },
    },
    files: {
      'sys/module/snd_thing/parameters/index': '-1\n',
      'proc/modules': 'badmod 16384 0 - Live 0x0 (POE)\nok 16384 0 - Live 0x0\nstaged 1 0 - Live 0x0 (CE)\n',
      'proc/sys/kernel/tainted': '12805\n',
    },
  });
  runKmod('depmod', ['-b', root, WORLD_RELEASE]);
  return { root, at: ['--root', root, '--kernel', WORLD_RELEASE] };
}

test('usher param shows what the module says of each parameter, and what the kernel has', async t => {
  const { at } = world(t);
  t.deepEqual(await usher('param', 'snd-thing', ...at), {
    status: 0,
    stdout: 'index = -1 (int, can be set)\n    which card\nhidden = not shown by the kernel (bool)\n',
    stderr: '',
  });
  const { stdout } = await usher('param', 'snd_thing', 'index', '--json', ...at);
  t.deepEqual(JSON.parse(stdout), {
    module: 'snd_thing',
    name: 'index',
    type: 'int',
    description: 'which card',
    value: '-1',
    isWritable: true,
    isLive: true,
  });
});

test('usher param sets a parameter, and says beforehand what does not fit its type', async t => {
  const { at, root } = world(t);
  const file = `${root}/sys/module/snd_thing/parameters/index`;
  t.deepEqual(await usher('param', 'snd-thing', 'index=3', ...at), { status: 0, stdout: '', stderr: '' });
  t.is(readFileSync(file, 'utf8').slice(0, 1), '3');
  // The kernel decides; this file takes anything.
  t.deepEqual(await usher('param', 'snd-thing', 'index=many', ...at), {
    status: 0,
    stdout: '',
    stderr: 'usher: snd_thing.index: found "many", wanted a whole number (int)\n',
  });
  const hidden = await usher('param', 'snd-thing', 'hidden=Y', ...at);
  t.deepEqual(
    [hidden.status, hidden.stderr],
    [1, 'usher: snd_thing.hidden was not set to "Y": the module is not loaded, or does not show it in /sys\n'],
  );
});

test('a parameter or module that is not there is said with what is', async t => {
  const { at, root } = world(t);
  const parameter = await usher('param', 'snd-thing', '../../x=1', ...at);
  t.is(parameter.status, 1);
  t.regex(parameter.stderr, /snd_thing has no parameter "\.\.\/\.\.\/x"; it has index, hidden/);
  const module = await usher('param', 'nothing', ...at);
  t.regex(module.stderr, new RegExp(`there is no module nothing in ${root}/sys nor in the module tree`));
});

test('usher taint says what each bit means and which loaded module has it', async t => {
  const { at } = world(t);
  const { stdout, status } = await usher('taint', ...at);
  t.is(status, 0);
  t.is(
    stdout,
    [
      'The kernel is tainted: PSWOE (12805)',
      'P  bit 0   a module with a licence that is not compatible with the GPL was loaded: badmod',
      'S  bit 2   the kernel runs on a processor or system that is out of its specification',
      'W  bit 9   the kernel has issued a warning',
      'O  bit 12  a module that was built outside the kernel tree was loaded: badmod',
      'E  bit 13  a module without a valid signature was loaded: badmod, staged',
      '',
    ].join('\n'),
  );
});
