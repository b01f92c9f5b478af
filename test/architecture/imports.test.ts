import path from 'node:path';
import test from 'ava';
import { findCycle, readImports, type ImportEdge } from '../support/import-graph.ts';

const top = path.resolve(import.meta.dirname, '../..');

/** Lowest first: a file may import from its own layer's folder and from layers before it. */
const LAYERS = [
  'core/vocabulary/',
  'core/errors.ts',
  'core/version.ts',
  'core/kmod/',
  'core/kernel/',
  'core/pipeline/1-intake/',
  'core/pipeline/2-device/',
  'core/pipeline/3-match/',
  'core/pipeline/4-policy/',
  'core/pipeline/5-resolve/',
  'core/pipeline/6-load/',
  'core/pipeline/7-ledger/',
  'core/pipeline/8-report/',
  'core/pipeline/pipeline.ts',
  'core/drivers/',
  'core/plugin-api/',
  'core/ipc/',
  'core/plugin-host/',
  'core/daemon/',
  'core/cli/',
];

function layerOf(file: string): number {
  return LAYERS.findIndex(layer => file.startsWith(layer));
}

function violations(edges: readonly ImportEdge[]): readonly string[] {
  return edges.filter(({ from, to }) => layerOf(to) > layerOf(from)).map(({ from, to }) => `${from} imports ${to}`);
}

const { files, edges } = readImports(top, ['core', 'plugins']);

test('every source file belongs to a layer', t => {
  t.deepEqual(
    files.filter(file => file.startsWith('core/') && layerOf(file) < 0),
    [],
  );
  t.true(files.length > 0);
});

test('imports point one way: a layer sees only those before it', t => {
  t.deepEqual(violations(edges.filter(({ from }) => from.startsWith('core/'))), []);
  t.true(edges.length > 0);
});

test('a stage that imports a later one would be found', t => {
  const edge = { from: 'core/pipeline/1-intake/uevent.ts', to: 'core/pipeline/4-policy/decide.ts' };
  t.deepEqual(violations([edge]), ['core/pipeline/1-intake/uevent.ts imports core/pipeline/4-policy/decide.ts']);
});

test('imports close no cycle', t => {
  t.is(findCycle(edges)?.join(' → '), undefined);
});

test('plugins see only the plugin interface', t => {
  const foreign = edges.filter(
    ({ from, to }) => from.startsWith('plugins/') && to.startsWith('core/') && !to.startsWith('core/plugin-api/'),
  );
  t.deepEqual(foreign, []);
});

test('only the pipeline imports all eight stages', t => {
  const stagesOf = (file: string): number =>
    new Set(edges.filter(({ from }) => from === file).flatMap(({ to }) => /core\/pipeline\/(\d)-/.exec(to)?.[1] ?? []))
      .size;
  t.deepEqual(
    files.filter(file => stagesOf(file) === 8),
    ['core/pipeline/pipeline.ts'],
  );
});

test('every source file is imported by another, or is an entry', t => {
  const entries = new Set([
    'core/cli/main.ts',
    // Only the bundles load each other's parts.
    'core/cli/load-part.ts',
    'core/daemon/main.ts',
    'core/plugin-api/index.ts',
    'core/plugin-host/jail-main.ts',
    'core/cli/answers/answer-worker.ts',
    'core/plugin-host/try-plugin.ts',
  ]);
  const imported = new Set(edges.map(({ to }) => to));
  t.deepEqual(
    files.filter(file => !imported.has(file) && !entries.has(file)),
    [],
  );
});
