import path from 'node:path';
import type { JailTools } from '../plugin-host/jail-command.ts';

/** What plugins are jailed with: built files, which lie beside the bundle, and in dist/ where the sources run. */
export function jailTools(): JailTools {
  const here = import.meta.dirname;
  const isSource = here.endsWith(path.join('core', 'daemon'));
  return { folder: isSource ? path.join(here, '../../dist') : here, node: process.execPath };
}
