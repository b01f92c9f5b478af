import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { native, nativeIfLoaded } from '../../core/kernel/native.ts';
import { readSmallFile, readSmallFiles } from '../../core/kernel/small-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'usherd-small-file-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

test.serial('a small file reads the same with the addon and without, alone and with others', async t => {
  const files: readonly (readonly [name: string, bytes: Buffer, text: string])[] = [
    ['usual', Buffer.from('live\n'), 'live\n'],
    ['empty', Buffer.alloc(0), ''],
    ['not UTF-8', Buffer.from([0x61, 0xff, 0xc3, 0x62]), 'a\ufffd\ufffdb'],
    ['a NUL', Buffer.from('a\0b'), 'a\0b'],
    ['larger than a page', Buffer.alloc(10_000, 'x'), 'x'.repeat(4096)],
  ];
  for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
  mkdirSync(path.join(folder, 'folder'));
  const absent = [path.join(folder, 'absent'), path.join(folder, 'folder'), path.join(folder, 'usual/below'), ''];
  const look = async (): Promise<void> => {
    for (const [name, , text] of files) t.is(readSmallFile(path.join(folder, name)), text, name);
    for (const file of absent) t.is(readSmallFile(file), undefined, file);
    t.is(readSmallFile('/proc/sys/kernel/ostype'), 'Linux\n');
    const texts = await readSmallFiles([...absent, ...files.map(([name]) => path.join(folder, name))]);
    t.deepEqual(texts, [...absent.map(() => undefined), ...files.map(([, , text]) => text)]);
    t.deepEqual(await readSmallFiles([]), []);
  };
  t.is(nativeIfLoaded(), undefined);
  await look();
  t.is(native(), nativeIfLoaded() as ReturnType<typeof native>);
  await look();
});

test.serial('a pipe nobody writes to is not waited for', t => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  native();
  t.is(readSmallFile(pipe), '');
});

test.serial('a text is written to a file that is there, whole, and never through a link or to a new one', async t => {
  const [file, link] = [path.join(folder, 'written'), path.join(folder, 'link')];
  writeFileSync(file, 'before');
  symlinkSync(file, link);
  const write = (name: string): Promise<number> | number => native().writeText(name, 'after!');
  t.is(await write(link), -constants.errno.ELOOP);
  t.is(await write(path.join(folder, 'new')), -constants.errno.ENOENT);
  t.is(await write(folder), -constants.errno.EISDIR);
  t.is(readFileSync(file, 'latin1'), 'before');
  t.is(await write(file), 0);
  t.is(readFileSync(file, 'latin1'), 'after!');
  t.is(await native().writeText('/proc/sys/kernel/ostype', 'x'), -constants.errno.EACCES);
});
