/** What a component of DEP-11 says that helps to find drivers. */
export interface Dep11Component {
  readonly package: string;
  readonly type: string;
  readonly modaliases: readonly string[];
  readonly firmware: readonly string[];
}

/**
 * One document of a DEP-11 catalogue → its package, its modaliases and its firmware files; undefined without a package. Only these are
 * read, line by line, of the YAML that catalogue generators write: keys of the document stand at the margin, lists below `Provides`.
 * Source: AppStream, "YAML catalog format".
 */
export function parseComponent(text: string): Dep11Component | undefined {
  let [packageName, type] = ['', ''];
  let section = '';
  let list = '';
  const modaliases: string[] = [];
  const firmware: string[] = [];
  for (const line of text.split('\n')) {
    const [, key, rest = ''] = /^([A-Za-z][\w-]*):(?: (.*))?$/.exec(line) ?? [];
    if (key !== undefined) {
      section = key;
      list = '';
      if (key === 'Package') packageName = scalar(rest);
      if (key === 'Type') type = scalar(rest);
      continue;
    }
    if (section !== 'Provides') continue;
    const below = /^ {2}([a-z][\w-]*):/.exec(line)?.[1];
    if (below !== undefined) list = below;
    else if (list === 'modaliases') {
      const item = /^\s+- (\S.*)$/.exec(line)?.[1];
      if (item !== undefined) modaliases.push(scalar(item));
    } else if (list === 'firmware') {
      const item = /^\s+(?:- )?file: (\S.*)$/.exec(line)?.[1];
      if (item !== undefined) firmware.push(scalar(item));
    }
  }
  return /^[a-z0-9][a-z0-9.+-]+$/.test(packageName) ? { package: packageName, type, modaliases, firmware } : undefined;
}

/** A scalar of YAML on one line: as it is, or in quotes. */
function scalar(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed[0];
  if ((quote !== "'" && quote !== '"') || trimmed.length < 2 || !trimmed.endsWith(quote)) return trimmed;
  const inner = trimmed.slice(1, -1);
  return quote === "'" ? inner.replaceAll("''", "'") : inner.replaceAll(/\\(["\\/])/g, '$1');
}
