import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, unpackedPackages } from '../support/debian-packages.ts';
import type { DebianKernel } from './debian-kernel.ts';

const sources = path.join(import.meta.dirname, 'modules');

interface Variant {
  /** Milliseconds init sleeps; the parameter `ms` sets another value. */
  readonly sleepMs?: number;
  /** What init returns, as C. */
  readonly result?: string;
  readonly softdep?: string;
  /** Function it has for others. */
  readonly offers?: string;
  /** Functions of others it cannot be without. */
  readonly needs?: readonly string[];
  /** It tries a device until `let_go` of its parameters is written to. */
  readonly triesOn?: boolean;
  /** Device it takes; by default its own name with dashes. */
  readonly claims?: string;
}

/** Modules with a source of their own. */
const OWN_SOURCES = ['usherd_bus', 'usherd_closed', 'usherd_typed'];

/** Drivers made from usherd_driver.c. Each takes the platform device called like it. None is signed, all are out of tree. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  usherd_plain: {},
  usherd_slow: { sleepMs: 10_000 },
  usherd_trying: { triesOn: true },
  usherd_fails: { result: '-EIO' },
  usherd_soft: { softdep: 'pre: usherd_pre post: usherd_post' },
  usherd_pre: {},
  usherd_post: {},
  usherd_twin_a: { claims: 'usherd-twin' },
  usherd_twin_b: { claims: 'usherd-twin' },
  usherd_cut: {},
  usherd_foreign: {},
  usherd_packed: {},
  usherd_optioned: {},
  usherd_installed: {},
  usherd_unwanted: {},
  usherd_locked: {},
  usherd_unsigned: {},
  usherd_late: {},
  usherd_lost: {},
  usherd_part_a: { offers: 'usherd_a', sleepMs: 500, result: '-EIO' },
  usherd_part_b: { offers: 'usherd_b' },
  usherd_part_c: { offers: 'usherd_c' },
  usherd_whole: { needs: ['usherd_a', 'usherd_b', 'usherd_c'] },
};

/** Files of the modules built against this kernel's headers: `NAME.ko` → where it is. @throws {Unavailable} when the headers cannot be fetched */
export async function testModules({ release }: DebianKernel): Promise<Readonly<Record<string, string>>> {
  const headers = await kernelHeaders(release);
  const makefile = kbuildFile();
  const hash = createHash('sha256').update(makefile);
  for (const name of readdirSync(sources)) hash.update(readFileSync(path.join(sources, name)));
  const built = await cached(`vm-modules-${release}-${hash.digest('hex').slice(0, 12)}`, dir =>
    build(dir, headers, release, makefile),
  );
  const names = readdirSync(built).filter(name => name.endsWith('.ko'));
  return Object.fromEntries(names.map(name => [name, path.join(built, name)]));
}

function build(dir: string, headers: string, release: string, makefile: string): void {
  for (const name of OWN_SOURCES) copyFileSync(path.join(sources, `${name}.c`), path.join(dir, `${name}.c`));
  for (const name of Object.keys(VARIANTS))
    copyFileSync(path.join(sources, 'usherd_driver.c'), path.join(dir, `${name}.c`));
  writeFileSync(path.join(dir, 'Makefile'), makefile);
  const folder = path.join(headers, 'usr/src', `linux-headers-${release}`);
  const { status, stderr } = spawnSync('make', ['-s', '-C', folder, `M=${dir}`, '-j2', 'CC=gcc', 'modules'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`make: ${stderr.trim().split('\n').slice(0, 12).join('; ')}`);
  const modules = readdirSync(dir).filter(name => name.endsWith('.ko'));
  spawnSync('strip', ['--strip-debug', ...modules], { cwd: dir });
}

function kbuildFile(): string {
  const lines = Object.entries(VARIANTS).flatMap(([name, variant]) => {
    const { sleepMs = 0, result = '0', softdep, offers, needs = [], triesOn = false } = variant;
    const { claims = name.replaceAll('_', '-') } = variant;
    const macros = [
      `-DSLEEP_MS=${sleepMs}`,
      `-DRESULT=${result}`,
      `-DCLAIMS='"${claims}"'`,
      ...(softdep === undefined ? [] : [`-DSOFTDEP='"${softdep}"'`]),
      ...(triesOn ? ['-DTRIES_ON'] : []),
      ...(offers === undefined ? [] : [`-DOFFERS=${offers}`]),
      ...(needs.length === 0 ? [] : [`-D'NEEDS(one)=${needs.map(each => `one(${each})`).join(' ')}'`]),
    ];
    return [`obj-m += ${name}.o`, `CFLAGS_${name}.o := ${macros.join(' ')}`];
  });
  return [...OWN_SOURCES.map(name => `obj-m += ${name}.o`), ...lines, ''].join('\n');
}

/** A kernel's headers, unpacked and not installed. Debian's Makefile names the other package by its absolute place; ours finds it beside. */
export function kernelHeaders(release: string): Promise<string> {
  const common = `${release.replace(/-amd64$/, '')}-common`;
  const kbuild = `linux-kbuild-${/^\d+\.\d+/.exec(release)?.[0] ?? ''}`;
  const packages = [`linux-headers-${release}`, `linux-headers-${common}`, kbuild];
  return unpackedPackages(
    `debian-headers-${release}`,
    () => packages,
    dir => {
      const makefile = path.join(dir, 'usr/src', `linux-headers-${release}`, 'Makefile');
      writeFileSync(makefile, `include $(dir $(lastword $(MAKEFILE_LIST)))../linux-headers-${common}/Makefile\n`);
    },
  );
}
