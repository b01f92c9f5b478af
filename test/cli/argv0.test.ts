import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { TOOL_NAMES, toolCall } from '../../core/cli/argv0.ts';
import { KMOD_TOOLS } from '../../core/cli/kmod/kmod-verbs.ts';
import { makeWorld, WORLD_RELEASE } from '../support/module-world.ts';

const top = path.resolve(import.meta.dirname, '../..');
const main = path.join(top, 'core/cli/main.ts');

test('a tool is called by the link’s name or by the first word, and anything else is a verb', t => {
  t.deepEqual(toolCall(['node', '/sbin/modprobe', '-r', 'x']), { tool: 'modprobe', words: ['-r', 'x'] });
  t.deepEqual(toolCall(['node', '/usr/bin/usher', 'modprobe', '-r']), { tool: 'modprobe', words: ['-r'] });
  t.deepEqual(toolCall(['node', '/bin/kmod', 'list']), { tool: 'kmod', words: ['list'] });
  t.is(toolCall(['node', '/usr/bin/usher', 'status']), undefined);
  t.is(toolCall(['node', '/usr/bin/usher']), undefined);
  t.is(toolCall(['node', '/usr/bin/usher', '--help', 'modprobe']), undefined);
});

test('every name has its tool, and every tool its name', t => {
  t.deepEqual(KMOD_TOOLS.map(({ name }) => name).toSorted(), [...TOOL_NAMES].toSorted());
});

test('usher does what a tool does when a link of that name starts it', t => {
  const { root } = makeWorld(t, { files: { [`lib/modules/${WORLD_RELEASE}/modules.dep`]: 'kernel/a.ko:\n' } });
  const link = path.join(root, 'modprobe');
  symlinkSync(main, link);
  const words = ['-C', '/dev/null', '-d', root, '-S', WORLD_RELEASE, '-D', 'a'];
  const expected = `insmod ${root}/lib/modules/${WORLD_RELEASE}/kernel/a.ko \n`;
  const run = (...args: readonly string[]): string => execFileSync(process.execPath, args, { encoding: 'utf8' });
  t.is(run(link, ...words), expected);
  t.is(run(main, 'modprobe', ...words), expected);
});

test('a tool loads neither the verbs nor their parser, nor any package', t => {
  const hook = `import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) });
    process.on('exit', () => process.stderr.write(JSON.stringify(seen)));`;
  const words = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    main,
    'modprobe',
    '-R',
    'nothing',
    '-q',
  ];
  const { stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const loaded = (JSON.parse(stderr) as string[]).filter(url => url.startsWith('file:'));
  t.true(loaded.some(url => url.endsWith('/core/cli/kmod/run-modprobe.ts')));
  t.deepEqual(
    loaded.filter(url => /node_modules|\/cli\/program\.ts|\/cli\/verbs|7-ledger|daemon\/daemon\.ts/.test(url)),
    [],
  );
});
