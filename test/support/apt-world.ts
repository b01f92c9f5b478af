import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** One package of a repository that a test makes. */
export interface MadePackage {
  readonly name: string;
  readonly version: string;
  /** Fields of its control file beside the usual ones: `Modaliases`, `Depends`, `Section`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Path in the package → content, or the file of the host that is copied. */
  readonly files?: Readonly<Record<string, string | { readonly from: string }>>;
  /** Scripts of its maintainer: `postinst` and so on. */
  readonly scripts?: Readonly<Record<string, string>>;
}

export interface RepositoryOptions {
  readonly packages: readonly MadePackage[];
  /** What Release says of who made it. */
  readonly origin?: string;
  readonly suite?: string;
  readonly component?: string;
  /** Without it there is a Release file that nobody signed. */
  readonly isSigned?: boolean;
}

/** A folder that is to be gone when a test ends, and that users without privileges can look into. */
export function openFolder(prefix: string): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), prefix));
  chmodSync(dir, 0o755);
  return dir;
}

/** Why no repository can be made here, or undefined. */
export function whyNoRepository(): string | undefined {
  const missing = ['dpkg-deb', 'apt-get', 'gpg', 'gpgv', 'unshare', 'setpriv'].filter(
    program => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`;
  return process.getuid?.() === 0 ? undefined : 'root is needed to install packages into a folder';
}

/**
 * A repository of real .deb files in `dir`, with its indexes → the file of the key it is signed with. The key is made for it, by gpg,
 * and forgotten.
 */
export function makeRepository(dir: string, options: RepositoryOptions): string {
  const { packages, origin = 'Test Vendor', suite = 'stable', component = 'non-free', isSigned = true } = options;
  const pool = path.join(dir, 'pool');
  const index = path.join(dir, 'dists', suite, component, 'binary-amd64');
  for (const folder of [pool, index]) mkdirSync(folder, { recursive: true });
  const stanzas = packages.map(each => stanzaOf(makeDeb(pool, each), dir));
  writeFileSync(path.join(index, 'Packages'), stanzas.join('\n'));
  const release = path.join(dir, 'dists', suite, 'Release');
  const listed = path.join(component, 'binary-amd64/Packages');
  const bytes = readFileSync(path.join(index, 'Packages'));
  const head = { Origin: origin, Label: origin, Suite: suite, Codename: suite, Date: new Date().toUTCString() };
  writeFileSync(
    release,
    [
      ...Object.entries({ ...head, Architectures: 'amd64', Components: component }).map(
        ([key, value]) => `${key}: ${value}`,
      ),
      'SHA256:',
      ` ${createHash('sha256').update(bytes).digest('hex')} ${bytes.length} ${listed}`,
      '',
    ].join('\n'),
  );
  return isSigned ? sign(release, dir) : '';
}

/** Signs a Release file as InRelease, by a fresh key → its public half, as apt takes it. */
function sign(release: string, dir: string): string {
  const home = mkdtempSync(path.join(os.tmpdir(), 'usherd-gpg-'));
  const gpg = (...words: readonly string[]): Buffer =>
    execFileSync(
      'gpg',
      ['--homedir', home, '--batch', '--yes', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...words],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
  try {
    gpg('--quick-gen-key', 'Test Vendor <vendor@example.org>', 'ed25519', 'sign', '1d');
    gpg('--clearsign', '--output', path.join(path.dirname(release), 'InRelease'), release);
    const key = path.join(dir, 'vendor.gpg');
    writeFileSync(key, gpg('--export'));
    return key;
  } finally {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(home, { recursive: true, force: true });
  }
}

/** A package → its .deb file. */
function makeDeb(pool: string, { name, version, fields = {}, files = {}, scripts = {} }: MadePackage): string {
  const tree = mkdtempSync(path.join(os.tmpdir(), 'usherd-deb-'));
  chmodSync(tree, 0o755);
  const control = {
    Package: name,
    Version: version,
    Architecture: 'amd64',
    Maintainer: 'Test Vendor <vendor@example.org>',
    Description: `package of a test\n made for it`,
    ...fields,
  };
  mkdirSync(path.join(tree, 'DEBIAN'));
  writeFileSync(
    path.join(tree, 'DEBIAN/control'),
    `${Object.entries(control)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n')}\n`,
  );
  for (const [script, text] of Object.entries(scripts))
    writeFileSync(path.join(tree, 'DEBIAN', script), text, { mode: 0o755 });
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    if (typeof content === 'string') writeFileSync(path.join(tree, file), content);
    else cpSync(content.from, path.join(tree, file));
  }
  const deb = path.join(pool, `${name}_${version.replaceAll(':', '%3a')}_amd64.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', tree, deb], { stdio: 'ignore' });
  rmSync(tree, { recursive: true, force: true });
  return deb;
}

function stanzaOf(deb: string, dir: string): string {
  const fields = execFileSync('dpkg-deb', ['-f', deb], { encoding: 'utf8' }).trimEnd();
  const hash = createHash('sha256').update(readFileSync(deb)).digest('hex');
  return `${fields}\nFilename: ${path.relative(dir, deb)}\nSize: ${statSync(deb).size}\nSHA256: ${hash}\n`;
}

/**
 * Gives a root the folders of dpkg and apt, and one repository: apt of the host works on it, and knows nothing else. `uri` is where the root sees it.
 */
export function stageApt(
  root: string,
  {
    uri,
    key,
    suite = 'stable',
    component = 'non-free',
    options = '',
  }: {
    readonly uri: string;
    readonly key: string;
    readonly suite?: string;
    readonly component?: string;
    readonly options?: string;
  },
): void {
  for (const folder of [
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
    'var/log/apt',
    'etc/apt/apt.conf.d',
    'etc/apt/preferences.d',
    'etc/apt/sources.list.d',
    'etc/apt/trusted.gpg.d',
    'tmp',
  ])
    mkdirSync(path.join(root, folder), { recursive: true });
  for (const file of ['status', 'available', 'triggers/File'])
    if (!existsSync(path.join(root, 'var/lib/dpkg', file))) {
      mkdirSync(path.dirname(path.join(root, 'var/lib/dpkg', file)), { recursive: true });
      writeFileSync(path.join(root, 'var/lib/dpkg', file), '');
    }
  // Not signed-by: apt takes that path as it is, not below its root.
  if (key !== '') cpSync(key, path.join(root, 'etc/apt/trusted.gpg.d/vendor.gpg'));
  const bracket = ['arch=amd64', options].filter(word => word !== '').join(' ');
  writeFileSync(path.join(root, 'etc/apt/sources.list'), `deb [${bracket}] ${uri} ${suite} ${component}\n`);
}
