import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { INDEX_FILES, PLUGIN_FILE } from '../../plugin-host/find-plugins.ts';
import { isPluginName } from '../../plugin-host/plugin-place.ts';
import { readTrustedFiles } from '../../plugin-host/trusted-files.ts';

/** An author's plugin: a folder with an index file, or a single file. */
export interface AuthoredPlugin {
  readonly name: string;
  /** Without links in its path. */
  readonly extent: string;
  /** The folder its tests and settings lie in. */
  readonly folder: string;
  /** The file that is run. */
  readonly entry: string;
}

/** A word of the command line → the plugin it names. @throws {UsherdError} NOT_FOUND */
export function findAuthored(word: string): AuthoredPlugin {
  const notFound = (message: string): UsherdError => new UsherdError('NOT_FOUND', message, { dir: word });
  if (!existsSync(word)) throw notFound(`${word}: there is no such folder or file`);
  const extent = realpathSync(word);
  const isFolder = statSync(extent).isDirectory();
  const name = path.basename(extent).replace(isFolder ? '' : PLUGIN_FILE, '');
  const entry = isFolder
    ? INDEX_FILES.map(file => path.join(extent, file)).find(file => existsSync(file))
    : PLUGIN_FILE.test(extent)
      ? extent
      : undefined;
  if (entry === undefined) throw notFound(`${word}: no plugin there, wanted one of ${INDEX_FILES.join(', ')}`);
  if (!isPluginName(name))
    throw notFound(`${word}: "${name}" is no name of a plugin, wanted small letters, digits and dashes`);
  return { name, extent, folder: isFolder ? extent : path.dirname(extent), entry };
}

/** A configuration folder with nothing in it but one plugin: it is found there as it would be in /etc/usherd. */
export interface TrialFolder extends Disposable {
  readonly configDir: string;
  readonly stateDir: string;
}

/** Why a daemon of this user would not run the plugin where it lies, or undefined. */
export function whyUntrusted({ extent }: AuthoredPlugin, uid: number): string | undefined {
  const files = readTrustedFiles(extent, uid);
  return 'distrust' in files ? `it is not to be trusted: ${files.distrust}` : undefined;
}

/**
 * Makes such a folder with a copy of a plugin, and the text of its settings file if it is to have one; it goes with `using`. A copy, since
 * around an author's folder there may be what Node would look for from a plugin, a package.json, and what no jail lets it read.
 */
export function openTrialFolder({ name, extent }: AuthoredPlugin, settings?: string): TrialFolder {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-plugin-')));
  // Whoever a plugin runs as has to come through to it.
  chmodSync(folder, 0o755);
  const plugins = path.join(folder, 'etc/plugins');
  mkdirSync(plugins, { recursive: true, mode: 0o755 });
  const copy = path.join(plugins, statSync(extent).isDirectory() ? name : path.basename(extent));
  cpSync(extent, copy, { recursive: true });
  if (settings !== undefined) writeFileSync(path.join(plugins, `${name}.toml`), settings, { mode: 0o600 });
  return {
    configDir: path.join(folder, 'etc'),
    stateDir: path.join(folder, 'state'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
