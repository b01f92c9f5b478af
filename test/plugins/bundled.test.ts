import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { describePlugin } from '../../core/plugin-host/describe-plugin.ts';
import { BUNDLED } from '../../plugins/bundled.ts';
import { pluginWorld } from '../support/plugin-world.ts';

const folder = path.resolve(import.meta.dirname, '../../plugins');

/** The first example of a plugin's README: what its file may say. */
function exampleOf(name: string): string {
  const text = readFileSync(path.join(folder, name, 'README.md'), 'utf8');
  return /```toml\n(?<toml>.*?)```/s.exec(text)?.groups?.['toml'] ?? '';
}

test('every folder of plugins/ is one that comes with usherd, under its own name', async t => {
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);
  t.deepEqual(Object.keys(BUNDLED), folders.toSorted());
  for (const [name, load] of Object.entries(BUNDLED)) {
    const facts = describePlugin((await load()).default);
    t.is('wrong' in facts ? facts.wrong : facts.name, name);
  }
});

test('every bundled plugin runs with the example of its README, and is off without a file', async t => {
  const world = pluginWorld(t, { bundled: BUNDLED });
  await world.host.load();
  t.deepEqual([...new Set(world.host.list().map(({ state }) => state))], ['off']);
  for (const name of Object.keys(BUNDLED)) world.write(`${name}.toml`, exampleOf(name));
  await world.host.load();
  t.deepEqual(
    world.host.list().map(({ name, state, because, isolation }) => [name, state, because, isolation]),
    Object.keys(BUNDLED).map(name => [name, 'running', undefined, 'inside']),
  );
  t.deepEqual(world.host.problems, []);
});

test('a README has every key of the settings, its hooks and what the plugin never does', t => {
  for (const name of Object.keys(BUNDLED)) {
    const text = readFileSync(path.join(folder, name, 'README.md'), 'utf8');
    for (const part of ['## Settings', '## Hooks, needs, limits', 'It never '])
      t.true(text.includes(part), `${name}: ${part}`);
  }
});
