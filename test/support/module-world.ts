import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { type KoSpec, writeKo } from './ko-writer.ts';

/** Release every made-up world has. */
export const WORLD_RELEASE = '6.1.0-test';

/** A small made-up system: a root with one release's modules and a configuration. */
export interface ModuleWorld {
  readonly root: string;
  /** `ROOT/lib/modules/RELEASE`. */
  readonly tree: string;
  readonly modprobeDir: string;
}

/** What a world has: modules by their path below the release's folder, other files by their path below the root. */
export interface WorldSpec {
  readonly modules?: Readonly<Record<string, KoSpec | Buffer>>;
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Makes a world in a temporary folder that goes when the test is over. */
export function makeWorld(t: ExecutionContext, { modules = {}, files = {} }: WorldSpec): ModuleWorld {
  const root = mkdtempSync(path.join(tmpdir(), 'usherd-world-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const tree = path.join(root, 'lib/modules', WORLD_RELEASE);
  mkdirSync(tree, { recursive: true });
  for (const [file, spec] of Object.entries(modules)) {
    put(path.join(tree, file), Buffer.isBuffer(spec) ? spec : writeKo(spec));
  }
  for (const [file, text] of Object.entries(files)) put(path.join(root, file), text);
  return { root, tree, modprobeDir: path.join(root, 'etc/modprobe.d') };
}

function put(file: string, content: string | Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** What Debian's kmod answered. */
export interface KmodAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Tools of kmod, as commands. */
export type KmodToolName = 'depmod' | 'modprobe' | 'modinfo' | 'lsmod' | 'insmod' | 'rmmod' | 'kmod';

/** Runs one of kmod's tools; bytes come back as one character each. */
export function runKmod(
  tool: KmodToolName,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): KmodAnswer {
  const { stdout, stderr, status } = spawnSync(kmodTool(tool), args, {
    encoding: 'latin1',
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
  });
  return { stdout, stderr, status };
}

function kmodTool(tool: string): string {
  return execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`], { encoding: 'utf8' }).trim();
}

/** Whether kmod's tools are here; says aloud what is left out when they are not. */
export function kmodIsHere(t: ExecutionContext): boolean {
  const found = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v depmod'], { encoding: 'utf8' });
  if (found.status === 0) return true;
  skip(t, 'kmod (depmod, modprobe, modinfo) is not installed');
  return false;
}

/** Says aloud, on the runner's own stderr, that a test had nothing to run on, and lets it pass. */
export function skip(t: ExecutionContext, why: string): void {
  process.stderr.write(`SKIPPED: ${t.title}: ${why}\n`);
  t.pass();
}
