import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Put in by the bundler; from the sources, package.json is read. */
declare const USHERD_VERSION: string | undefined;

/** usherd's version, as package.json has it. */
export const VERSION: string = typeof USHERD_VERSION === 'string' ? USHERD_VERSION : versionOfPackage();

function versionOfPackage(): string {
  const text = readFileSync(path.join(import.meta.dirname, '../package.json'), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
