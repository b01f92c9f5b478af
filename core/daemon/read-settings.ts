import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { Problem } from '../vocabulary/place.ts';
import { placeOfTomlKey, readToml } from '../vocabulary/toml.ts';
import { DEFAULT_SETTINGS, SETTINGS, type Settings } from './settings.ts';

/** Settings as merged, what could not be used, and the files they came from. */
export interface ReadSettings {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
}

/**
 * Configuration folders, strongest first → settings. The strongest usherd.toml is read, then every usherd.toml.d/*.toml in order of
 * their names, of which the strongest folder's counts when two are called alike; a later file beats an earlier one. Whatever
 * cannot be used is a problem and leaves the setting as it was.
 */
export function readSettings(configDirs: readonly string[]): ReadSettings {
  const files = settingsFiles(configDirs);
  const problems: Problem[] = [];
  let settings: Settings = DEFAULT_SETTINGS;
  for (const file of files) {
    const read = readSettingsFile(file, problems);
    settings = { ...settings, ...read };
  }
  return { settings, problems, files };
}

function settingsFiles(configDirs: readonly string[]): readonly string[] {
  const main = configDirs.map(dir => `${dir}/usherd.toml`).find(file => existsSync(file));
  const dropIns = new Map<string, string>();
  for (const dir of configDirs) {
    for (const name of listDropIns(`${dir}/usherd.toml.d`)) {
      if (!dropIns.has(name)) dropIns.set(name, `${dir}/usherd.toml.d/${name}`);
    }
  }
  const inOrder = [...dropIns].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  return main === undefined ? inOrder : [main, ...inOrder];
}

function listDropIns(dir: string): readonly string[] {
  try {
    return readdirSync(dir).filter(name => name.endsWith('.toml') && !name.startsWith('.'));
  } catch {
    return [];
  }
}

function readSettingsFile(file: string, problems: Problem[]): Partial<Settings> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    problems.push({ place: { file }, message: `it cannot be read: ${(error as Error).message}` });
    return {};
  }
  return parseSettings(text, file, problems);
}

/** Text of one usherd.toml → the settings it makes; what cannot be used is added to `problems`. */
export function parseSettings(text: string, file: string, problems: Problem[]): Partial<Settings> {
  const document = readToml(text, file);
  if (document.problem !== undefined) {
    problems.push(document.problem);
    return {};
  }
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  for (const [key, value] of flattened(document.table)) {
    const spec = SETTINGS.find(candidate => candidate.key === key);
    const parsed = spec?.parse(value);
    if (spec !== undefined && parsed !== undefined) settings[spec.field] = parsed;
    else
      problems.push({
        place: placeOfTomlKey(text, file, key.slice(key.indexOf('.') + 1)),
        message: settingProblem(key, value, spec?.wanted),
      });
  }
  return settings as Partial<Settings>;
}

/** Tables of settings are one deep: `[policy] default` is `policy.default`. */
function flattened(table: Readonly<Record<string, unknown>>): readonly (readonly [key: string, value: unknown])[] {
  return Object.entries(table).flatMap(([key, value]): readonly (readonly [string, unknown])[] =>
    TABLES.has(key) && isTable(value)
      ? Object.entries(value).map(([name, inner]) => [`${key}.${name}`, inner])
      : [[key, value]],
  );
}

const TABLES: ReadonlySet<string> = new Set(
  SETTINGS.flatMap(({ key }) => (key.includes('.') ? [key.slice(0, key.indexOf('.'))] : [])),
);

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function settingProblem(key: string, value: unknown, wanted: string | undefined): string {
  if (wanted !== undefined) return `${key} is ${JSON.stringify(value)}, wanted ${wanted}`;
  return `there is no setting "${key}"; there are ${SETTINGS.map(spec => spec.key).join(', ')}`;
}
