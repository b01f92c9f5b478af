import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { build } from 'esbuild';

const top = path.resolve(import.meta.dirname, '../..');
const addon = path.join(top, 'dist/usherd.node');

/** native.ts as the build bundles it, in a folder of its own. */
async function bundled(folder: string): Promise<string> {
  const outfile = path.join(folder, 'bundle.cjs');
  await build({
    stdin: {
      contents: `import { native } from './core/kernel/native.ts';
        try { process.stdout.write(String(native().netlinkClose(1))); }
        catch (error) { process.stdout.write(error.code + ': ' + error.message); }`,
      resolveDir: top,
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.dirname': '__dirname' },
  });
  return outfile;
}

async function run(file: string, env: Record<string, string> = {}): Promise<string> {
  return (await promisify(execFile)(process.execPath, [file], { env })).stdout;
}

test('a bundle loads the addon that lies beside it, and says so when there is none or it cannot be loaded', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'usherd-native-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = await bundled(folder);
  t.is(await run(file), `NATIVE_MISSING: there is no ${folder}/usherd.node`);
  t.true(existsSync(addon));
  copyFileSync(addon, path.join(folder, 'usherd.node'));
  t.is(await run(file), 'false');
  t.regex(
    await run(file, { USHERD_NATIVE: file }),
    /^NATIVE_MISSING: .*bundle\.cjs cannot be loaded: Error: .*invalid ELF header$/,
  );
});
