import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PackageChange } from './transaction.ts';
import { runTool, type ToolEnd, type ToolOptions } from './run-tool.ts';

/** Longest apt waits for who else holds its lock, in seconds: an unattended upgrade takes some minutes. */
const LOCK_MAX_SECONDS = 900;

/**
 * What apt is told whatever it is asked for: nothing without a sound signature, no package removed on the side, the administrator's
 * configuration files kept, and patience with its lock. Source: apt-get(8), apt.conf(5), apt-secure(8).
 */
const ALWAYS = [
  '-y',
  '-q',
  '--no-remove',
  ...[
    'APT::Get::AllowUnauthenticated=false',
    'Acquire::AllowInsecureRepositories=false',
    'Acquire::AllowWeakRepositories=false',
    'Acquire::AllowDowngradeToInsecureRepositories=false',
    `DPkg::Lock::Timeout=${LOCK_MAX_SECONDS}`,
    'Dpkg::Options::=--force-confold',
    'Dpkg::Options::=--force-confdef',
    'Dpkg::Use-Pty=false',
  ].flatMap(option => ['-o', option]),
];

/** apt of one root. */
export interface AptPlace {
  /** `/`, or the folder that stands for it. */
  readonly root: string;
  /** A folder of ours, where what apt must be told of another root is written. */
  readonly workDir: string;
}

/** Words for apt-get, and the environment they need. */
export function aptGetWords(words: readonly string[]): readonly string[] {
  return ['apt-get', ...ALWAYS, ...words];
}

/**
 * Environment that has apt work on another root: APT_CONFIG is read before any of its configuration, so that this comes from there,
 * too, and dpkg changes into it. Source: apt.conf(5), "Dir::"; dpkg(1), --root.
 */
export function aptEnvironment({ root, workDir }: AptPlace): Readonly<Record<string, string>> {
  if (root === '/') return {};
  mkdirSync(workDir, { recursive: true });
  const file = path.join(workDir, 'root.conf');
  const lines = [
    `Dir "${root}";`,
    `Dir::State::status "${root}/var/lib/dpkg/status";`,
    'Dir::Bin::methods "/usr/lib/apt/methods";',
    'Dir::Bin::dpkg "/usr/bin/dpkg";',
    `DPkg::Options { "--root=${root}"; "--force-not-root"; "--log=${root}/var/log/dpkg.log"; };`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 });
  return { APT_CONFIG: file };
}

/** Runs apt-get, as it is or confined. */
export function runAptGet(
  words: readonly string[],
  place: AptPlace,
  {
    confine = plain => plain,
    ...options
  }: ToolOptions & { confine?: (words: readonly string[]) => readonly string[] } = {},
): Promise<ToolEnd> {
  return runTool(confine(aptGetWords(words)), { ...options, env: { ...aptEnvironment(place), ...options.env } });
}

/**
 * Has apt fetch its indexes anew: what reads from the network there is apt's own sandbox, a user without privileges → why it failed, or
 * undefined. What it has in the end is signed, or not there.
 */
export async function refreshIndexes(place: AptPlace, tell: (text: string) => void): Promise<string | undefined> {
  const end = await runAptGet(['-o', 'APT::Status-Fd=3', 'update'], place, {
    onStatus: line => {
      const text = statusText(line);
      if (text !== undefined) tell(text);
    },
  });
  return end.status === 0 ? undefined : aptComplaint(end);
}

/** What apt would do: packages it would put in place, and those it would take away. */
export interface SimulatedChange {
  readonly installed: readonly Pick<PackageChange, 'name' | 'version' | 'architecture' | 'before' | 'origin'>[];
  readonly removed: readonly string[];
}

/**
 * Lines of `apt-get -s` → what it would do: `Inst NAME [OLD] (NEW ORIGIN:SUITE [ARCH])`, `Remv NAME [OLD]`. Source: apt-get(8),
 * "--simulate".
 */
export function parseSimulation(lines: readonly string[]): SimulatedChange {
  const installed: { name: string; version: string; architecture: string; before?: string; origin: string }[] = [];
  const removed: string[] = [];
  for (const line of lines) {
    const [, verb, name = '', before, facts = ''] =
      /^(Inst|Remv|Purg) (\S+)(?: \[([^\]]*)\])?(?: \(([^)]*)\))?/.exec(line) ?? [];
    if (verb === 'Remv' || verb === 'Purg') removed.push(plainName(name));
    if (verb !== 'Inst') continue;
    const [, version = '', origin = '', architecture = ''] = /^(\S+)(?: (.*?))?(?: \[([^\]]+)\])?$/.exec(facts) ?? [];
    installed.push({
      name: plainName(name),
      version,
      architecture,
      origin,
      ...(before === undefined ? {} : { before }),
    });
  }
  return { installed, removed };
}

/** `NAME:ARCH` → NAME. */
function plainName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}

/** What apt and dpkg said that explains a failure: their own lines of errors, the last ones. */
export function aptComplaint({ stdout, stderr, status }: ToolEnd): string {
  const errors = [...stderr, ...stdout].filter(line =>
    /^(?:E:|dpkg: error|dpkg-deb: error| .*(?:No space left|cannot ))/.test(line),
  );
  const said = errors.length > 0 ? errors : stderr.slice(-3);
  return (
    [...new Set(said.map(line => line.trim()))].slice(-6).join('; ') ||
    `it ended with status ${status} and said nothing`
  );
}

/**
 * A line of apt's Status-Fd → words for a person, or undefined when it says nothing new. Source: apt, README.progress-reporting:
 * `dlstatus:NUMBER:PERCENT:TEXT`, `pmstatus:PACKAGE:PERCENT:TEXT`.
 */
export function statusText(line: string): string | undefined {
  const [, kind, , percent = '', text = ''] = /^(dlstatus|pmstatus|pmerror):([^:]*):([\d.]+):(.*)$/.exec(line) ?? [];
  if (kind === undefined) return undefined;
  return `${Math.floor(Number(percent))} % ${text}`;
}
