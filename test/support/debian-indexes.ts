import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, Unavailable } from './debian-packages.ts';

/** Where Debian's keys are, on Debian and on others that have its package of them. */
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/etc/apt/trusted.gpg.d/debian-archive-*'];

/** Debian's stable repository as this machine's apt has it. */
interface Repository {
  readonly uri: string;
  readonly release: string;
}

/**
 * Real indexes of Debian's stable release, all components: Packages, DEP-11 components and Contents, fetched by apt into the cache →
 * a root whose apt has them. @throws {Unavailable} when apt cannot fetch them
 */
export async function debianIndexes(): Promise<string> {
  const root = await cached('debian-indexes', dir => {
    const { uri, release } = repository();
    for (const folder of [
      'var/lib/apt/lists/partial',
      'var/lib/dpkg',
      'var/cache/apt',
      'etc/apt/trusted.gpg.d',
      'etc/apt/apt.conf.d',
      'etc/apt/preferences.d',
      'etc/apt/sources.list.d',
    ])
      mkdirSync(path.join(dir, folder), { recursive: true });
    writeFileSync(path.join(dir, 'var/lib/dpkg/status'), '');
    for (const file of globSync(KEYRINGS))
      copyFileSync(file, path.join(dir, 'etc/apt/trusted.gpg.d', path.basename(file)));
    const line = `deb ${uri} ${release} main contrib non-free non-free-firmware\n`;
    writeFileSync(path.join(dir, 'etc/apt/sources.list'), line);
    const config = path.join(dir, 'apt.conf');
    writeFileSync(config, aptConfig(dir));
    const { status, stderr } = spawnSync('apt-get', ['update'], {
      encoding: 'utf8',
      env: { ...process.env, APT_CONFIG: config },
    });
    if (status !== 0) throw new Unavailable(`apt-get update: ${stderr?.trim().split('\n').at(-1) ?? 'no apt-get'}`);
  });
  // It was fetched into another folder, and then moved to its place.
  writeFileSync(path.join(root, 'apt.conf'), aptConfig(root));
  return root;
}

function repository(): Repository {
  const format = '$(REPO_URI) $(RELEASE)';
  const { stdout } = spawnSync(
    'apt-get',
    ['indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian'],
    {
      encoding: 'utf8',
    },
  );
  const lines = (stdout ?? '').split('\n').filter(line => line !== '');
  const [uri, release] =
    lines.find(line => !/-(?:security|updates|backports) /.test(`${line.split(' ')[1]} `))?.split(' ') ?? [];
  if (uri === undefined || release === undefined) throw new Unavailable("apt has no repository of Debian's");
  return { uri, release };
}

/** Source: apt.conf(5), "Acquire::IndexTargets"; the targets of appstream and apt-file. */
function aptConfig(dir: string): string {
  return `Dir "${dir}";
Dir::State::status "${dir}/var/lib/dpkg/status";
Dir::Bin::methods "/usr/lib/apt/methods";
Acquire::Languages "none";
APT::Architecture "amd64";
APT::Sandbox::User "";
Acquire::IndexTargets::deb::DEP-11 {
  MetaKey "$(COMPONENT)/dep11/Components-$(NATIVE_ARCHITECTURE).yml"; ShortDescription "Components"; Description "DEP-11 $(RELEASE)/$(COMPONENT)";
  KeepCompressed "true"; KeepCompressedAs "gz";
};
Acquire::IndexTargets::deb::Contents-deb {
  MetaKey "$(COMPONENT)/Contents-$(ARCHITECTURE)"; ShortDescription "Contents"; Description "Contents $(RELEASE)/$(COMPONENT)";
  KeepCompressed "true";
};
`;
}
