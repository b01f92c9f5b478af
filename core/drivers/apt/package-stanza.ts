import type { Delivery, DriverSource, LicenceClass } from '../candidate.ts';
import type { Stanza } from '../index/deb822.ts';

type PackageSource = Extract<DriverSource, { kind: 'package' }>;

/** `6.1.0-56-amd64`, also `5.15.0-91-generic`: a release as packages of modules have it in their names. */
const RELEASE = /\d+\.\d+(?:\.\d+)?-[0-9a-z.+~]+(?:-[a-z0-9]+)*/;
const IMAGE = new RegExp(String.raw`\b(?:linux-image(?:-unsigned)?|linux-modules)-(${RELEASE.source})`, 'g');

/** A stanza of a Packages list → what is known of the package; undefined without a name or version. */
export function packageOf(
  stanza: Stanza,
  component: string,
  installedVersion: string | undefined,
): PackageSource | undefined {
  const value = (name: string): string => stanza.get(name)?.value ?? '';
  const [name, version] = [value('package'), value('version')];
  if (!/^[a-z0-9][a-z0-9.+-]+$/.test(name) || !/^[\w.+~:-]+$/.test(version)) return undefined;
  const depends = `${value('depends')}, ${value('pre-depends')}`;
  const inName = new RegExp(`(?:modules|kernel|kmod|linux-image)-.*?(${RELEASE.source})$`).exec(name)?.[1];
  const releases = new Set([...depends.matchAll(IMAGE)].map(([, release = '']) => release));
  if (inName !== undefined) releases.add(inName);
  const section = value('section');
  return {
    kind: 'package',
    manager: 'apt',
    name,
    version,
    architecture: value('architecture'),
    component: component === '' && section.includes('/') ? section.slice(0, section.indexOf('/')) : component,
    ...(installedVersion === undefined ? {} : { installedVersion }),
    releases: [...releases],
    isDkms: name.endsWith('-dkms') || /(?:^|[\s,|])dkms(?:[\s,|(:]|$)/.test(depends),
    ...(value('sha256') === '' ? {} : { sha256: value('sha256') }),
    ...(/^\d{1,15}$/.test(value('size')) ? { sizeBytes: Number(value('size')) } : {}),
    ...(value('filename') === '' ? {} : { path: value('filename') }),
    ...(value('support') === '' ? {} : { support: value('support') }),
    description: value('description').split('\n')[0] ?? '',
  };
}

/** Components that hold what is free. Source: Debian Policy 2.2, Ubuntu's component overview. */
const FREE_COMPONENTS = new Set(['main', 'universe', 'contrib']);
const PROPRIETARY_COMPONENTS = new Set(['non-free', 'non-free-firmware', 'restricted', 'multiverse']);

/** The component a package is in says how free it is; a vendor's own repository says nothing by it. */
export function licenceOfComponent(component: string, section: string): LicenceClass {
  const named = section.includes('/') ? section.slice(0, section.indexOf('/')) : '';
  if (PROPRIETARY_COMPONENTS.has(component) || PROPRIETARY_COMPONENTS.has(named)) return 'proprietary';
  return FREE_COMPONENTS.has(component) ? 'free' : 'unknown';
}

/** What a package of this kind brings for a device that its index names it for. */
export function deliveryOf({ name, isDkms, releases }: PackageSource, claimsModule: boolean): Delivery {
  if (/(?:^|-)firmware(?:-|$)/.test(name)) return 'firmware';
  return claimsModule || isDkms || releases.length > 0 || /-(?:modules|kmod|source)(?:-|$)/.test(name)
    ? 'module'
    : 'program';
}
