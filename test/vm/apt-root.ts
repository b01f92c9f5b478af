import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeRepository, stageApt, type RepositoryOptions } from '../support/apt-world.ts';
import { unpackedPackages } from '../support/debian-packages.ts';
import { put, stageLibraries } from './staged-root.ts';

/** Debian's apt and dpkg, and what they start. */
const PACKAGES = ['apt', 'libapt-pkg6.0', 'dpkg', 'gpgv', 'tar', 'util-linux', 'libc-bin', 'libseccomp2', 'libxxhash0'];
const PROGRAMS = [
  'usr/bin/apt-get',
  'usr/bin/apt-config',
  'usr/bin/apt-key',
  'usr/bin/dpkg',
  'usr/bin/dpkg-deb',
  'usr/bin/dpkg-split',
  'usr/bin/dpkg-query',
  'usr/bin/gpgv',
  'bin/tar',
  'usr/bin/unshare',
  'usr/bin/setpriv',
  'sbin/ldconfig',
];

/** Gives a guest's root apt and dpkg of Debian, and a repository in /srv/repository as its only one. */
export async function stageAptRoot(root: string, repository: RepositoryOptions): Promise<void> {
  const from = await unpackedPackages('debian-apt', () => PACKAGES);
  const staged = PROGRAMS.map(program => {
    const to = path.join(root, 'usr', path.dirname(program).replace(/^usr\//, ''), path.basename(program));
    mkdirSync(path.dirname(to), { recursive: true });
    copyFileSync(path.join(from, program), to);
    return to;
  });
  const methods = path.join(root, 'usr/lib/apt/methods');
  cpSync(path.join(from, 'usr/lib/apt/methods'), methods, { recursive: true, verbatimSymlinks: true });
  cpSync(path.join(from, 'usr/share/dpkg'), path.join(root, 'usr/share/dpkg'), { recursive: true });
  const searched = ['usr/lib', 'lib'].map(folder => path.join(from, folder, 'x86_64-linux-gnu'));
  const isElf = (file: string): boolean =>
    existsSync(file) && readFileSync(file).subarray(0, 4).equals(Buffer.from('\u007fELF'));
  const linked = [...staged, ...globSync('*', { cwd: methods }).map(name => path.join(methods, name))];
  stageLibraries(root, linked.filter(isElf), searched);
  put(path.join(root, 'etc/passwd'), PASSWD);
  put(path.join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  const folder = path.join(root, 'srv/repository');
  mkdirSync(folder, { recursive: true });
  stageApt(root, { uri: 'file:/srv/repository', key: makeRepository(folder, repository) });
  // There is no locale data, and no terminal.
  writeFileSync(path.join(root, 'etc/apt/apt.conf.d/test'), 'Acquire::Languages "none";\n');
}

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  '_apt:x:42:65534::/nonexistent:/usr/sbin/nologin',
  'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  '',
].join('\n');
