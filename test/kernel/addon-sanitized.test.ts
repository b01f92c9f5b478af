import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isSanitized } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const top = path.resolve(import.meta.dirname, '../..');
const sanitized = path.join(top, 'dist/usherd.sanitized.node');
const asan = spawnSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim() ?? '';

function whyNot(): string | undefined {
  if (isSanitized) return 'this already is the sanitized run';
  if (!existsSync(sanitized)) return `${sanitized} is not built (node contrib/dev/build.ts --test)`;
  return path.isAbsolute(asan) ? undefined : 'the compiler has no libasan.so';
}

testUnless(whyNot())('the addon does all this under AddressSanitizer and UBSan without a finding', async t => {
  const names = [
    'kernel/addon',
    'kernel/memory',
    'kernel/module-calls',
    'kernel/small-file',
    'kernel/unix-socket',
    'kernel/write-piece',
    'kernel/xz',
    'pipeline/1-intake/netlink-source',
  ];
  const files = names.map(name => `test/${name}.test.ts`);
  const child = spawn(process.execPath, ['node_modules/.bin/ava', '--tap', ...files], {
    cwd: top,
    env: {
      PATH: process.env['PATH'],
      USHERD_NATIVE: sanitized,
      LD_PRELOAD: asan,
      // Node itself leaves memory behind when it ends; V8 reserves more address space than the default shadow's checks like.
      ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
  const status = await new Promise(resolve => child.once('close', resolve));
  t.is(status, 0, output);
  t.notRegex(output, /AddressSanitizer|runtime error:/);
  t.regex(output, /^# pass [1-9][0-9]*$/m);
});
