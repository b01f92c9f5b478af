import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '../vocabulary/place.ts';
import { isPluginName, type PluginPlace } from './plugin-place.ts';

/** More plugins than anybody has; each may be a process. */
const PLUGINS_MAX = 64;

/** How a plugin that is one file is called, and the first of these that a folder has is the plugin in it. */
export const PLUGIN_FILE = /\.(?:ts|mts|js|mjs)$/;
export const INDEX_FILES = ['index.ts', 'index.mts', 'index.js', 'index.mjs'] as const;

/** Plugins that can be had, each name once, in order of names. */
export interface FoundPlugins {
  readonly places: readonly PluginPlace[];
  readonly problems: readonly Problem[];
}

/**
 * Configuration folders, strongest first, and the names of those that come along → every plugin. `plugins/NAME.ts` or
 * `plugins/NAME/index.ts` of a stronger folder stands for one of a weaker; one that is a link to /dev/null switches it off. A package
 * in `node_modules` is one when its package.json has `"usherd": { "plugin": "./file.js" }`. The first that has a name, in that order,
 * has it; a file cannot take a bundled plugin's name.
 */
export function findPlugins(configDirs: readonly string[], bundled: readonly string[]): FoundPlugins {
  const problems: Problem[] = [];
  const places = new Map<string, PluginPlace | undefined>(
    bundled.map(name => [name, { name, origin: 'bundled' }] as const),
  );
  const take = (place: PluginPlace | undefined, name: string, where: string): void => {
    if (!isPluginName(name)) {
      const message = `"${name}" is no name of a plugin: wanted small letters, digits and dashes`;
      problems.push({ place: { file: where }, message });
    } else if (bundled.includes(name)) {
      problems.push({ place: { file: where }, message: `"${name}" is the name of a plugin that comes with usherd` });
    } else if (places.size >= PLUGINS_MAX && !places.has(name)) {
      problems.push({
        place: { file: where },
        message: `there are ${PLUGINS_MAX} plugins already, this one is left out`,
      });
    } else if (!places.has(name)) places.set(name, place);
  };
  for (const dir of configDirs.map(config => path.join(config, 'plugins'))) {
    for (const entry of namesIn(dir)) {
      const file = path.join(dir, entry);
      if (PLUGIN_FILE.test(entry)) {
        const name = entry.replace(PLUGIN_FILE, '');
        take(isMask(file) ? undefined : { name, origin: 'folder', file, extent: file }, name, file);
      } else if (isFolder(file)) {
        const index = INDEX_FILES.map(name => path.join(file, name)).find(isFile);
        if (index === undefined) {
          const message = `there is no plugin in it: wanted one of ${INDEX_FILES.join(', ')}`;
          problems.push({ place: { file }, message });
        } else take({ name: entry, origin: 'folder', file: index, extent: file }, entry, file);
      } else if (isMask(file)) take(undefined, entry, file);
    }
  }
  for (const dir of configDirs.map(config => path.join(config, 'node_modules'))) {
    for (const folder of packagesIn(dir)) {
      const place = packagePlace(folder, problems);
      if (place !== undefined) take(place, place.name, folder);
    }
  }
  const found = [...places.values()].filter(place => place !== undefined);
  return { places: found.toSorted((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

/** Folders of plugins whose change makes what was found stale. */
export function pluginDirs(configDirs: readonly string[]): readonly string[] {
  return configDirs.flatMap(dir => [`${dir}/plugins`, `${dir}/node_modules`]);
}

function packagesIn(dir: string): readonly string[] {
  return namesIn(dir).flatMap(name =>
    name.startsWith('@')
      ? namesIn(path.join(dir, name)).map(inner => path.join(dir, name, inner))
      : [path.join(dir, name)],
  );
}

/** The plugin a package declares; undefined for any other package. */
function packagePlace(folder: string, problems: Problem[]): PluginPlace | undefined {
  const file = path.join(folder, 'package.json');
  let declared: unknown;
  try {
    declared = (JSON.parse(readFileSync(file, 'utf8')) as { usherd?: { plugin?: unknown } } | null)?.usherd?.plugin;
  } catch {
    return undefined;
  }
  if (declared === undefined) return undefined;
  const entry = typeof declared === 'string' ? path.resolve(folder, declared) : '';
  if (!entry.startsWith(`${folder}/`) || !isFile(entry)) {
    problems.push({ place: { file }, message: 'usherd.plugin is no file of this package' });
    return undefined;
  }
  const name = path.basename(folder).replace(/^usherd-plugin-/, '');
  return { name, origin: 'package', file: entry, extent: folder };
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter(name => !name.startsWith('.'))
      .toSorted();
  } catch {
    return [];
  }
}

function isMask(file: string): boolean {
  try {
    return realpathSync(file) === '/dev/null';
  } catch {
    return false;
  }
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
