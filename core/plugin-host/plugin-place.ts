/** Where a plugin was found. `bundled` comes with usherd and runs inside; all others run in a jail. */
export interface PluginPlace {
  readonly name: string;
  readonly origin: 'bundled' | 'folder' | 'package';
  /** The file that is run; absent on a bundled one. */
  readonly file?: string;
  /** Everything of the plugin is in here, or is the file itself. */
  readonly extent?: string;
}

/** What a plugin may be called: it names files and stands in the record. */
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const NAME_MAX_CHARACTERS = 64;

/** Whether a text can be a plugin's name: small letters, digits and single dashes, a letter first. */
export function isPluginName(text: string): boolean {
  return text.length <= NAME_MAX_CHARACTERS && NAME.test(text);
}
