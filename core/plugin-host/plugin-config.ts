import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Place, Problem } from '../vocabulary/place.ts';
import { placeOfTomlKey, readToml } from '../vocabulary/toml.ts';
import { isOrder, ORDER_MAX } from './plugin-order.ts';
import { isNeed, type GrantedNeed } from './needs.ts';

/** What an administrator says of one plugin, in `plugins/NAME.toml` of a configuration folder. */
export interface PluginConfig {
  /** The file; absent when there is none and all is as it comes. */
  readonly place?: Place;
  readonly isEnabled: boolean;
  /** While it cannot run, no module that somebody asks for is loaded. */
  readonly isRequired: boolean;
  readonly order?: number;
  readonly grant: readonly GrantedNeed[];
  /** The `[settings]` table as it stands there. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Without a file: what was put into a folder of plugins runs, what came along with usherd or in a package does not. */
const ABSENT: PluginConfig = { isEnabled: false, isRequired: false, grant: [], settings: {} };

/** The strongest folder's NAME.toml → what it says; what cannot be used of it is a problem. A file that is no TOML switches nothing on. */
export function readPluginConfig(
  configDirs: readonly string[],
  name: string,
  { isOnByItself }: { readonly isOnByItself: boolean },
): { readonly config: PluginConfig; readonly problems: readonly Problem[] } {
  const file = configDirs
    .map(dir => path.join(dir, 'plugins', `${name}.toml`))
    .find(candidate => existsSync(candidate));
  if (file === undefined) return { config: { ...ABSENT, isEnabled: isOnByItself }, problems: [] };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const problem = { place: { file }, message: `it cannot be read: ${(error as Error).message}` };
    return { config: { ...ABSENT, place: { file } }, problems: [problem] };
  }
  return parsePluginConfig(text, file);
}

/** Text of a NAME.toml → what it says, and what cannot be used of it. */
export function parsePluginConfig(
  text: string,
  file: string,
): { readonly config: PluginConfig; readonly problems: readonly Problem[] } {
  const document = readToml(text, file);
  if (document.problem !== undefined) {
    const { place, message } = document.problem;
    const problem = { place, message: `${message}; the plugin stays off` };
    return { config: { ...ABSENT, place: { file } }, problems: [problem] };
  }
  const { table } = document;
  const problems: Problem[] = [];
  const take = <Value>(key: string, wanted: string, check: (value: unknown) => value is Value): Value | undefined => {
    const value = table[key];
    delete table[key];
    if (value === undefined || check(value)) return value;
    problems.push({
      place: placeOfTomlKey(text, file, key),
      message: `${key} is ${JSON.stringify(value)}, wanted ${wanted}`,
    });
    return undefined;
  };
  const enabled = take('enabled', 'true or false', isBoolean);
  const required = take('required', 'true or false', isBoolean);
  const order = take('order', `a whole number from 0 to ${ORDER_MAX}`, isOrder);
  const grant = take('grant', 'a list of needs, as ["drivers", "net"]', isNeeds);
  const settings = take('settings', 'a table', isTable);
  for (const key of Object.keys(table)) {
    const message = `there is no "${key}" here; there are enabled, required, order, grant and the table settings`;
    problems.push({ place: placeOfTomlKey(text, file, key), message });
  }
  const config: PluginConfig = {
    place: { file },
    isEnabled: enabled ?? true,
    isRequired: required ?? false,
    grant: grant ?? [],
    settings: settings ?? {},
    ...(order === undefined ? {} : { order }),
  };
  return { config, problems };
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isNeeds(value: unknown): value is GrantedNeed[] {
  return Array.isArray(value) && value.every(isNeed);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
