import { formatTable } from '../../pipeline/8-report/table.ts';
import { formatBytes } from '../../pipeline/8-report/quantity.ts';
import { span, type Span } from '../../pipeline/8-report/terminal.ts';
import { BUNDLED } from '../../../plugins/bundled.ts';
import { UsherdError } from '../../errors.ts';
import { findPlugins } from '../../plugin-host/find-plugins.ts';
import { readPluginConfig } from '../../plugin-host/plugin-config.ts';
import type { PluginListing } from '../../plugin-host/plugin-seat.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { askDaemon } from '../daemon-call.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller } from '../verb.ts';

/** Prints every plugin: from the daemon how each does; without one what it would find. */
export async function listPlugins(caller: Caller): Promise<number> {
  const running = await runningPlugins(caller);
  if (running === undefined) return listFound(caller);
  if (caller.isJson) {
    for (const plugin of running) printJson(caller, plugin);
    return 0;
  }
  const columns = [
    { title: 'PLUGIN' },
    { title: 'STATE' },
    { title: 'WHERE' },
    { title: 'HOOK' },
    { title: 'CALLS', align: 'right' as const },
    { title: 'FAILED', align: 'right' as const },
    { title: 'MEAN', align: 'right' as const },
    { title: 'MOST', align: 'right' as const },
    { title: 'MEMORY', align: 'right' as const },
    { title: 'REMARK', canShrink: true },
  ];
  printLines(caller, formatTable(columns, running.flatMap(rowsOf), terminal(caller)));
  return 0;
}

/** A line for the plugin with its first hook, and one for each hook more. */
function rowsOf(plugin: PluginListing): readonly (readonly Span[])[] {
  const { name, state, isolation = '', residentBytes, because, summary = '', hooks, origin } = plugin;
  const style = state === 'running' ? 'good' : state === 'off' ? 'faint' : 'bad';
  const memory = residentBytes === undefined ? '' : formatBytes(residentBytes);
  const first: readonly Span[] = [span('name', name), span(style, state), isolation === '' ? origin : isolation];
  const rest: readonly Span[] = [memory, because ?? summary];
  if (hooks.length === 0) return [[...first, '', '', '', '', '', ...rest]];
  return hooks.map(({ kind, calls, failures, totalUs, maxUs }, index) => [
    ...(index === 0 ? first : ['', '', '']),
    kind,
    String(calls),
    failures === 0 ? '0' : span('bad', String(failures)),
    calls === 0 ? '' : microseconds(totalUs / calls),
    calls === 0 ? '' : microseconds(maxUs),
    ...(index === 0 ? rest : ['', '']),
  ]);
}

function microseconds(us: number): string {
  return us < 1000 ? `${us.toFixed(1)} µs` : `${(us / 1000).toFixed(1)} ms`;
}

async function runningPlugins(caller: Caller): Promise<readonly PluginListing[] | undefined> {
  const plugins: PluginListing[] = [];
  try {
    for await (const plugin of askDaemon(caller, 'plugins')) plugins.push(plugin as unknown as PluginListing);
    return plugins;
  } catch (error) {
    if (error instanceof UsherdError && error.code === 'DAEMON_UNREACHABLE') return undefined;
    throw error;
  }
}

function listFound(caller: Caller): number {
  const { configDirs } = caller.roots;
  const { places, problems } = findPlugins(configDirs, Object.keys(BUNDLED));
  const found = places.map(place => {
    const { config, problems: wrong } = readPluginConfig(configDirs, place.name, {
      isOnByItself: place.origin === 'folder',
    });
    return { place, config, problems: wrong };
  });
  for (const problem of [...problems, ...found.flatMap(item => item.problems)])
    caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  if (caller.isJson) {
    for (const { place, config } of found) printJson(caller, { ...place, isEnabled: config.isEnabled });
    return 0;
  }
  const columns = [{ title: 'PLUGIN' }, { title: 'WOULD' }, { title: 'WHERE', canShrink: true }];
  const rows = found.map(({ place, config }) => [
    span('name', place.name),
    config.isEnabled ? 'run' : 'stay off',
    place.file ?? place.origin,
  ]);
  printLines(caller, [
    'no daemon answers; this is what one would find',
    ...formatTable(columns, rows, terminal(caller)),
  ]);
  return 0;
}
