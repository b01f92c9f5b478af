import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BUNDLED } from '../../../plugins/bundled.ts';
import { jailTools } from '../../daemon/jail-tools.ts';
import { noFacts } from '../../plugin-host/fact-reader.ts';
import { PluginHost } from '../../plugin-host/plugin-host.ts';
import type { PluginListing } from '../../plugin-host/plugin-seat.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { span } from '../../pipeline/8-report/terminal.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller } from '../verb.ts';
import { findAuthored, openTrialFolder, whyUntrusted, type AuthoredPlugin } from './trial-folder.ts';
import { typeCheck } from './type-check.ts';

/** One thing that was looked at. */
interface Check {
  readonly what: 'types' | 'plugin' | 'settings';
  readonly result: 'good' | 'bad' | 'skipped';
  readonly lines: readonly string[];
}

/**
 * Type-checks a plugin, starts it in its jail with the settings it will have, and says what is wrong; 1 when something is.
 * @throws {UsherdError} NOT_FOUND
 */
export async function checkPlugin(dir: string | undefined, caller: Caller): Promise<number> {
  const plugin = findAuthored(dir ?? '.');
  const checks = [await checkTypes(plugin, caller), ...(await checkStart(plugin, caller))];
  if (caller.isJson) printJson(caller, { name: plugin.name, extent: plugin.extent, checks });
  else {
    for (const { what, result, lines } of checks) {
      const style = result === 'good' ? 'good' : result === 'bad' ? 'bad' : 'warning';
      printSpans(caller, [span('title', what.padEnd(9)), span(style, result)]);
      for (const line of lines) printSpans(caller, ['  ', line]);
    }
  }
  return checks.some(({ result }) => result === 'bad') ? 1 : 0;
}

async function checkTypes(plugin: AuthoredPlugin, { env }: Caller): Promise<Check> {
  const checked = await typeCheck(plugin, env);
  if (checked.kind === 'skipped') return { what: 'types', result: 'skipped', lines: [checked.why] };
  const { complaints, compiler } = checked;
  if (complaints.length > 0) return { what: 'types', result: 'bad', lines: complaints };
  return { what: 'types', result: 'good', lines: [`by ${compiler}`] };
}

/** Has the plugin found, trusted and started as a daemon of this user would. */
async function checkStart(plugin: AuthoredPlugin, caller: Caller): Promise<readonly Check[]> {
  const settingsFile = [
    path.join(plugin.folder, `${plugin.name}.toml`),
    ...caller.roots.configDirs.map(config => path.join(config, 'plugins', `${plugin.name}.toml`)),
  ].find(file => existsSync(file));
  const settings = settingsFile === undefined ? undefined : readFileSync(settingsFile, 'utf8');
  const untrusted = whyUntrusted(plugin, caller.uid);
  if (untrusted !== undefined) return [{ what: 'plugin', result: 'bad', lines: [untrusted] }];
  using folder = openTrialFolder(plugin, settings);
  const notices: string[] = [];
  const host = new PluginHost({
    configDirs: [folder.configDir],
    stateDir: folder.stateDir,
    uid: caller.uid,
    bundled: BUNDLED,
    facts: noFacts(() => undefined),
    actions: {
      overrideDriver: async () => undefined,
      unload: async () => ({ refused: 'this is only a check' }),
      findDrivers: async () => [],
    },
    devices: async () => [],
    jail: jailTools(),
    isReadOnly: true,
    notice: (_level, message) => void notices.push(message),
    incident: () => undefined,
    isDriven: () => true,
    limitReached: () => undefined,
  });
  try {
    await host.load();
    const listing = host.list().find(({ name, origin }) => name === plugin.name && origin !== 'bundled');
    const problems = host.problems.map(problem =>
      formatProblem({ ...problem, place: { ...problem.place, file: settingsFile ?? problem.place.file } }),
    );
    const told: Check = {
      what: 'settings',
      result: settingsFile === undefined ? 'skipped' : problems.length === 0 ? 'good' : 'bad',
      lines:
        settingsFile === undefined
          ? [`there is no ${plugin.name}.toml in ${plugin.folder}`]
          : [settingsFile, ...problems],
    };
    return [startCheck(listing, [...notices, ...problems]), told];
  } finally {
    await host.stop();
  }
}

function startCheck(listing: PluginListing | undefined, notices: readonly string[]): Check {
  if (listing?.state !== 'running') {
    const why =
      listing?.because ?? (listing?.state === 'off' ? 'its settings have it switched off' : notices.join('; '));
    return { what: 'plugin', result: 'bad', lines: [why] };
  }
  const { name, version, isolation = '', hooks, needs } = listing;
  const lines = [
    `${name}${version === undefined ? '' : ` ${version}`} starts, ${isolation}`,
    `hooks: ${hooks.length === 0 ? 'none' : hooks.map(({ kind }) => kind).join(', ')}`,
    ...(needs.length === 0 ? [] : [`needs: ${needs.join(', ')}`]),
  ];
  return { what: 'plugin', result: 'good', lines };
}
