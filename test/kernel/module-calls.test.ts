import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import {
  deleteModule,
  finitModule,
  finitModules,
  initModule,
  type FileToInsert,
  MODULE_CALLS_AT_ONCE_MAX,
} from '../../core/kernel/module-calls.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'usherd-module-calls-'));

const notAModule = path.join(folder, 'not-a-module.ko');
writeFileSync(notAModule, 'not an ELF file');
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

/** What a kernel may answer to a file that is no module: no such call, not allowed (no root), or not an ELF file. */
const REFUSALS = ['ENOSYS', 'EPERM', 'ENOEXEC'];

test('the kernel refuses what is no module, and the call says how', async t => {
  t.true(REFUSALS.includes((await finitModule(notAModule, '')) ?? 'none'));
  t.true(REFUSALS.includes((await initModule(Buffer.from('not an ELF file'), 'debug=1')) ?? 'none'));
  t.true([...REFUSALS, 'ENOENT'].includes((await deleteModule('usherd_is_not_a_module')) ?? 'none'));
});

/** What came of the files, without the time it took. */
async function answersOf(insertions: ReturnType<typeof finitModules>): Promise<readonly string[]> {
  return (await Promise.all(insertions)).map(({ answer }) => answer ?? 'none');
}

/** A row of files that are not there; each needs those in `needs`. */
function missing(...needs: readonly (readonly number[])[]): FileToInsert[] {
  return needs.map((each, n) => ({ file: path.join(folder, `${n}.ko`), parameters: '', flags: 0, needs: each }));
}

test('after a file that is refused none is begun that needs it', async t => {
  const files = missing([], [0], [0, 1]);
  t.deepEqual(await answersOf(finitModules(files)), ['ENOENT', 'not-tried', 'not-tried']);
  const [plain] = await answersOf(finitModules([{ file: notAModule, parameters: 'a=1', flags: 0 }]));
  t.true(REFUSALS.includes(plain ?? 'none'));
  const manyAtOnce = Array.from({ length: 3 * MODULE_CALLS_AT_ONCE_MAX }, () => finitModules(files));
  const all = await answersOf(manyAtOnce.flat());
  t.is(all.filter(answer => answer === 'not-tried').length, 2 * manyAtOnce.length);
});

test('files that do not need one another are all answered, tried or not, however many there are', async t => {
  const free = Array.from({ length: 100 }, () => []);
  for (let round = 0; round < 50; round += 1) {
    const answers = await answersOf(finitModules(missing(...free, [0, 99])));
    t.is(answers.length, 101);
    t.is(answers[0], 'ENOENT');
    t.is(answers[100], 'not-tried');
    t.deepEqual(new Set(answers), new Set(['ENOENT', 'not-tried']));
  }
});

test('what modules rest on is put on disk before them, and where that fails they are tried all the same', async t => {
  const files = missing([]);
  const told: number[] = [];
  const wasPut = (status: number): void => void told.push(status);
  const fd = openSync(notAModule, 'r+');
  const answers = finitModules(files, { fd, wasPut });
  // It is a descriptor of the thread's own.
  closeSync(fd);
  t.deepEqual(await answersOf(answers), ['ENOENT']);
  t.deepEqual(told, [0]);
  for (const [unfit, errno] of [
    [2 ** 20, constants.errno.EBADF],
    [openSync('/proc/self/status', 'r'), constants.errno.EINVAL],
  ] as const) {
    t.deepEqual(await answersOf(finitModules(files, { fd: unfit, wasPut })), ['ENOENT']);
    t.is(told.pop(), -errno);
  }
  t.deepEqual(await answersOf(finitModules(files, { fd: undefined, wasPut })), ['ENOENT']);
  t.deepEqual(told, [0]);
});

test('a file that cannot be opened is answered as open(2) does, and a pipe is not waited for', async t => {
  t.is(await finitModule(path.join(folder, 'none.ko'), ''), 'ENOENT');
  t.is(await finitModule(path.join(notAModule, 'below.ko'), ''), 'ENOTDIR');
  const pipe = path.join(folder, 'pipe.ko');
  execFileSync('mkfifo', [pipe]);
  t.true([...REFUSALS, 'EINVAL'].includes((await finitModule(pipe, '')) ?? 'none'));
});

test('many more calls than may run at once are all answered, and the event loop turns meanwhile', async t => {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const calls = Array.from({ length: MODULE_CALLS_AT_ONCE_MAX * 4 }, () => finitModule(notAModule, 'a=1 b=2'));
  const answers = await Promise.all(calls);
  isDone = true;
  t.is(answers.length, MODULE_CALLS_AT_ONCE_MAX * 4);
  t.deepEqual(
    [...new Set(answers)].filter(answer => !REFUSALS.includes(answer ?? 'none')),
    [],
  );
  t.true(turns > 0);
});

test('an image may be changed or dropped by its owner as soon as the call is made', async t => {
  const image = Buffer.alloc(1 << 20, 1);
  const answer = initModule(image, '');
  structuredClone(image.buffer, { transfer: [image.buffer] });
  t.true(REFUSALS.includes((await answer) ?? 'none'));
});
