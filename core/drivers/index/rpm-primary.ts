import type { LicenceClass } from '../candidate.ts';

/** What a repository's primary.xml says of a package that provides modaliases. */
export interface RpmPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly license: string;
  readonly description: string;
  readonly modaliases: readonly string[];
  readonly sha256: string | undefined;
  /** Kernel releases its name or its requirements tell: `kernel = 6.8.5-301.fc40`. */
  readonly releases: readonly string[];
}

/**
 * The element of one package in a repository's primary.xml, as createrepo writes it → what is needed of it. SUSE names the kernel's
 * flavour first, and rpm writes what may not stand in a name as %XX: `modalias(kernel-default:pci:v00001234d*…)`.
 * Source: createrepo_c, primary.xml; rpm's dependency generator for modalias().
 */
export function parseRpmPackage(text: string): RpmPackage | undefined {
  const element = (name: string): string =>
    unescapeXml(new RegExp(`<${name}>([^<]{0,4096})</${name}>`).exec(text)?.[1] ?? '');
  const name = element('name');
  const versionTag = /<version\s([^>]{0,512})>/.exec(text)?.[1] ?? '';
  const attribute = (key: string): string => new RegExp(`\\b${key}="([^"]{0,256})"`).exec(versionTag)?.[1] ?? '';
  const [epoch, ver, rel] = [attribute('epoch'), attribute('ver'), attribute('rel')];
  if (!/^[\w.+-]+$/.test(name) || !/^[\w.+~^]+$/.test(ver)) return undefined;
  const names = [...text.matchAll(/<rpm:entry\s+name="([^"]{1,4096})"/g)].map(([, entry = '']) => unescapeXml(entry));
  const modaliases = names.flatMap(entry => {
    const inner = /^modalias\((?:kernel[\w.-]*:)?(.+)\)$/.exec(entry)?.[1];
    return inner === undefined
      ? []
      : [inner.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))];
  });
  const release = /^kmod-.*?(\d+\.\d+\.\d+-[\w.]+)$/.exec(name)?.[1];
  return {
    name,
    version: `${epoch === '' || epoch === '0' ? '' : `${epoch}:`}${ver}${rel === '' ? '' : `-${rel}`}`,
    architecture: element('arch'),
    license: element('rpm:license'),
    description: element('summary'),
    modaliases,
    sha256: /<checksum type="sha256"[^>]{0,64}>([0-9a-f]{64})</.exec(text)?.[1],
    releases: release === undefined ? [] : [release],
  };
}

/** Licences that rpm packages of free software name. Source: SPDX, Fedora's allowed licences. */
export function licenceClassOfRpm(license: string): LicenceClass {
  if (license === '') return 'unknown';
  return /\b(?:L?GPL|MIT|BSD|Apache|MPL|ISC)/.test(license) ? 'free' : 'proprietary';
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
