import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Place, Problem } from '../vocabulary/place.ts';
import { readToml } from '../vocabulary/toml.ts';

/** Largest catalogue that is read, in bytes: one that lists every PCI device has some hundred kB. */
const CATALOGUE_MAX_BYTES = 4 * 1024 * 1024;
/** Largest file a catalogue may have fetched, in bytes; no module is larger (kmod/ko/compression.ts). */
export const DOWNLOAD_MAX_BYTES = 256 * 1024 * 1024;

/** A file of a catalogue: a module for one kernel. */
export interface CatalogueFile {
  readonly kind: 'file';
  readonly url: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly release: string;
  readonly fileName: string;
}

/** One entry: patterns, and what drives the devices they match. */
export interface CatalogueEntry {
  readonly id: string;
  readonly catalogue: string;
  readonly modaliases: readonly string[];
  readonly what: CatalogueFile | { readonly kind: 'package'; readonly package: string };
  readonly version: string;
  readonly license: string;
  readonly place: Place;
}

/**
 * catalogue.d/*.toml of the configuration folders → their entries. A catalogue counts only when NAME.toml.sig beside it has an Ed25519
 * signature of its bytes, in base64, by a key of catalogue-keys/*.pem; of two with one name the strongest folder's counts.
 */
export function readCatalogues(configDirs: readonly string[]): {
  readonly entries: readonly CatalogueEntry[];
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const keys = readKeys(configDirs, problems);
  const files = new Map<string, string>();
  for (const dir of configDirs) {
    for (const name of list(path.join(dir, 'catalogue.d'), '.toml'))
      if (!files.has(name)) files.set(name, path.join(dir, 'catalogue.d', name));
  }
  const entries = [...files.values()].flatMap(file => {
    if (statSync(file).size > CATALOGUE_MAX_BYTES) {
      problems.push({ place: { file }, message: `it is larger than ${CATALOGUE_MAX_BYTES} bytes; it is left out` });
      return [];
    }
    const bytes = readFileSync(file);
    const refusal = signatureRefusal(bytes, `${file}.sig`, keys);
    if (refusal !== undefined) {
      problems.push({ place: { file }, message: `${refusal}; nothing of it is taken` });
      return [];
    }
    return parseCatalogue(bytes.toString('utf8'), file, problems);
  });
  return { entries, problems };
}

/** Text of a catalogue whose signature was checked → its entries; one that is not sound is a problem, the others count. */
export function parseCatalogue(text: string, file: string, problems: Problem[]): readonly CatalogueEntry[] {
  const document = readToml(text, file);
  if (document.problem !== undefined) {
    problems.push(document.problem);
    return [];
  }
  const { table } = document;
  const hosts = strings(table['hosts']) ?? [];
  const drivers = Array.isArray(table['driver']) ? (table['driver'] as readonly unknown[]) : [];
  const lines = text.split('\n').flatMap((line, n) => (/^\s*\[\[\s*driver\s*\]\]/.test(line) ? [n + 1] : []));
  return drivers.flatMap((driver, n): readonly CatalogueEntry[] => {
    const line = lines[n];
    const place: Place = { file, ...(line === undefined ? {} : { line }) };
    const entry = entryOf(driver as Readonly<Record<string, unknown>>, hosts, file);
    if (typeof entry !== 'string') return [{ ...entry, place }];
    problems.push({ place, message: entry });
    return [];
  });
}

/** One table → the entry, or what is wrong with it. */
function entryOf(
  driver: Readonly<Record<string, unknown>>,
  hosts: readonly string[],
  file: string,
): Omit<CatalogueEntry, 'place'> | string {
  const text = (key: string): string => (typeof driver[key] === 'string' ? driver[key] : '');
  const id = text('id');
  if (!/^[a-z0-9][a-z0-9.+-]{0,63}$/.test(id)) return `id is "${id}", wanted lower-case letters, digits and .+-`;
  const modaliases = strings(driver['modaliases']);
  if (modaliases === undefined || modaliases.length === 0) return `${id}: modaliases must be a list of patterns`;
  const common = {
    id,
    catalogue: path.basename(file, '.toml'),
    modaliases,
    version: text('version'),
    license: text('license'),
  };
  const packageName = text('package');
  if (packageName !== '')
    return /^[a-z0-9][a-z0-9.+-]+$/.test(packageName)
      ? { ...common, what: { kind: 'package', package: packageName } }
      : `${id}: "${packageName}" is no package's name`;
  const [url, sha256, release] = [text('url'), text('sha256'), text('release')];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const sizeBytes = driver['size'];
  if (parsed === undefined) return `${id}: it names neither a package nor a url`;
  if (parsed.protocol !== 'https:') return `${id}: ${url} is not https`;
  if (!hosts.includes(parsed.hostname)) return `${id}: ${parsed.hostname} is none of the catalogue's hosts`;
  if (!/^[0-9a-f]{64}$/.test(sha256)) return `${id}: sha256 must be 64 hexadecimal digits`;
  if (
    typeof sizeBytes !== 'number' ||
    !Number.isSafeInteger(sizeBytes) ||
    sizeBytes <= 0 ||
    sizeBytes > DOWNLOAD_MAX_BYTES
  )
    return `${id}: size must be a number of bytes up to ${DOWNLOAD_MAX_BYTES}`;
  if (!/^\d+\.\d+[\w.+~-]*$/.test(release)) return `${id}: release is "${release}", wanted a kernel release`;
  const fileName = path.posix.basename(parsed.pathname);
  if (!/^[A-Za-z0-9_-]+\.ko(?:\.(?:gz|xz|zst))?$/.test(fileName))
    return `${id}: "${fileName}" is no module's file name`;
  return { ...common, what: { kind: 'file', url, sha256, sizeBytes, release, fileName } };
}

function signatureRefusal(bytes: Buffer, signatureFile: string, keys: readonly KeyObject[]): string | undefined {
  if (!existsSync(signatureFile)) return 'it is not signed (NAME.toml.sig is missing)';
  const signature = Buffer.from(readFileSync(signatureFile, 'latin1').trim(), 'base64');
  if (keys.length === 0) return 'no key of catalogue-keys can check its signature';
  return keys.some(key => verify(null, bytes, key, signature)) ? undefined : 'its signature is by none of the keys';
}

function readKeys(configDirs: readonly string[], problems: Problem[]): readonly KeyObject[] {
  return configDirs.flatMap(dir =>
    list(path.join(dir, 'catalogue-keys'), '.pem').flatMap((name): readonly KeyObject[] => {
      const file = path.join(dir, 'catalogue-keys', name);
      try {
        const key = createPublicKey(readFileSync(file));
        if (key.asymmetricKeyType === 'ed25519') return [key];
        problems.push({ place: { file }, message: `a key of ${key.asymmetricKeyType}, wanted Ed25519` });
      } catch (error) {
        problems.push({ place: { file }, message: `no public key: ${(error as Error).message}` });
      }
      return [];
    }),
  );
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item): item is string => typeof item === 'string') ? value : undefined;
}

function list(dir: string, ending: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter(name => name.endsWith(ending) && !name.startsWith('.'))
      .toSorted();
  } catch {
    return [];
  }
}
