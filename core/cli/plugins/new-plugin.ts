import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { isPluginName } from '../../plugin-host/plugin-place.ts';
import { span } from '../../pipeline/8-report/terminal.ts';
import { textOption } from '../option-values.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller, OptionValues } from '../verb.ts';
import { pluginTemplate } from './plugin-template.ts';

/** Makes the folder of a new plugin, and says what to do next. @throws {UsherdError} USAGE, FILE_UNWRITABLE */
export function newPlugin(name: string | undefined, options: OptionValues, caller: Caller): number {
  if (name === undefined || !isPluginName(name))
    throw new UsherdError(
      'USAGE',
      `plugin new wants a name of small letters, digits and dashes, found "${name ?? ''}"`,
    );
  const folder = path.join(textOption(options, 'dir') ?? '.', name);
  if (existsSync(folder))
    throw new UsherdError('FILE_UNWRITABLE', `${folder} is there already; nothing was written`, { folder });
  const files = pluginTemplate(name);
  try {
    for (const [file, text] of files) {
      const place = path.join(folder, file);
      mkdirSync(path.dirname(place), { recursive: true, mode: 0o755 });
      writeFileSync(place, text, { mode: 0o644 });
    }
  } catch (error) {
    throw new UsherdError('FILE_UNWRITABLE', `${folder}: ${(error as Error).message}`, { folder }, error);
  }
  if (caller.isJson) {
    printJson(caller, { name, folder, files: [...files.keys()] });
    return 0;
  }
  printSpans(caller, [span('title', folder)]);
  for (const file of files.keys()) printSpans(caller, ['  ', file]);
  printSpans(caller, ['next: ', span('name', `usher plugin check ${folder} && usher plugin test ${folder}`)]);
  return 0;
}
