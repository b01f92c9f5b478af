import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

const top = path.resolve(import.meta.dirname, '../..');

test('what plugins import by name is built, with its types', t => {
  const { exports } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  const files = Object.values(exports).flatMap(target =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  t.deepEqual(
    files.filter(file => !existsSync(path.join(top, file))),
    [],
  );
});

test('a plugin written with the built modules runs in the built kit', async t => {
  // By names that only a built usherd answers to: what an author's own test imports.
  const { definePlugin, deny } = await import('usherd/plugin');
  const { startPlugin } = await import('usherd/plugin-test');
  const v = await import('usherd/schema');
  const plugin = definePlugin({
    name: 'built',
    api: 1,
    settings: v.object({ module: v.string() }),
    setup: ({ settings }) => [
      {
        kind: 'opine',
        onError: 'deny',
        call: ({ module }) => (module === settings.module ? deny('named') : undefined),
      },
    ],
  });
  const tried = await startPlugin(plugin, { settings: { module: 'odd' } });
  t.deepEqual(await tried.opine({ module: 'odd' }), deny('named'));
  t.is(await tried.opine({ module: 'even' }), undefined);
  await t.throwsAsync(startPlugin(plugin, { settings: { module: 5 } }), { message: /its settings: module: / });
});
