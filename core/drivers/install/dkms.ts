import { copyFileSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageFiles } from '../apt/dpkg-status.ts';
import { withoutNetwork } from './confine.ts';
import type { InstallHands } from './install-hands.ts';
import { journalDir } from './journal.ts';
import { runTool } from './run-tool.ts';
import type { StepAnswer, Transaction } from './transaction.ts';

/** A source that DKMS builds modules from. */
export interface DkmsSource {
  readonly name: string;
  readonly version: string;
}

/**
 * Has the modules of the packages that bring sources for DKMS built and put in place for the kernel, unless that was done while they
 * were installed. What the build said is kept when it fails. Source: dkms(8).
 */
export async function buildModules(transaction: Transaction, hands: InstallHands): Promise<StepAnswer> {
  const { roots, tell } = hands;
  for (const source of dkmsSources(transaction, roots.root)) {
    const place = dkmsPlace(roots.root, transaction.release);
    const at = ['-m', source.name, '-v', source.version, '-k', transaction.release];
    const status = await runTool(['dkms', 'status', ...at, ...place.trees]);
    if (status.stdout.some(line => /: installed/.test(line))) continue;
    tell(`building ${source.name} ${source.version} for ${transaction.release}`);
    const built = await runTool(withoutNetwork(['dkms', 'install', ...at, ...place.trees, ...place.build]), {
      onLine: line => tell(line),
    });
    if (built.status === 0) continue;
    const log = keepBuildLog(transaction, hands, [...built.stdout, ...built.stderr]);
    const said = [...built.stderr, ...built.stdout].filter(line => /error|fail|missing|cannot/i.test(line)).slice(0, 3);
    return {
      kind: 'failed',
      message: `DKMS could not build ${source.name} ${source.version} for ${transaction.release}: ${said.join('; ')}`,
      ...(log === undefined ? {} : { log }),
    };
  }
  return { kind: 'done' };
}

/** Has DKMS forget what it built for the transaction's packages: their own scripts do so, where they have any. */
export async function removeBuilds(transaction: Transaction, { roots }: InstallHands): Promise<void> {
  for (const { name, version } of dkmsSources(transaction, roots.root)) {
    const { trees } = dkmsPlace(roots.root, transaction.release);
    await runTool(withoutNetwork(['dkms', 'remove', '-m', name, '-v', version, '--all', ...trees]));
  }
}

/** Sources for DKMS that the transaction's packages brought. */
export function dkmsSources({ packages }: Transaction, root: string): readonly DkmsSource[] {
  return packages.flatMap(({ name, architecture }) =>
    (packageFiles(root, name, architecture) ?? [])
      .filter(file => /^\/usr\/src\/[^/]+\/dkms\.conf$/.test(file))
      .flatMap(file => parseDkmsConf(path.join(root, file))),
  );
}

/** PACKAGE_NAME and PACKAGE_VERSION of a dkms.conf; none when they are not plain words, since it is a script of the shell otherwise. */
function parseDkmsConf(file: string): readonly DkmsSource[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=["']?([\\w.+~-]+)["']?\\s*$`, 'm').exec(text)?.[1];
  const [name, version] = [value('PACKAGE_NAME'), value('PACKAGE_VERSION')];
  return name === undefined || version === undefined ? [] : [{ name, version }];
}

/** Where dkms of another root has its trees. */
function dkmsPlace(root: string, release: string): { trees: readonly string[]; build: readonly string[] } {
  if (root === '/') return { trees: [], build: [] };
  const at = (folder: string): string => path.join(root, folder);
  return {
    trees: ['--dkmstree', at('var/lib/dkms'), '--sourcetree', at('usr/src'), '--installtree', at('lib/modules')],
    build: ['--no-depmod', '--kernelsourcedir', at(`usr/src/linux-headers-${release}`)],
  };
}

/** Keeps what the last build said beside the journal → the file, or undefined when nothing was built since the transaction began. */
export function keepBuildLog(
  { id, startedAt }: Transaction,
  { roots }: InstallHands,
  said: readonly string[] = [],
): string | undefined {
  const began = Date.parse(startedAt);
  const logs = globSync('*/*/build/make.log', { cwd: path.join(roots.root, 'var/lib/dkms') })
    .map(name => path.join(roots.root, 'var/lib/dkms', name))
    .filter(file => statSync(file).mtimeMs >= began)
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  const [newest] = logs;
  const file = path.join(journalDir(roots.stateDir), `${id}.build.log`);
  if (newest === undefined && said.length === 0) return undefined;
  mkdirSync(path.dirname(file), { recursive: true });
  if (newest === undefined) writeFileSync(file, `${said.join('\n')}\n`);
  else copyFileSync(newest, file);
  return file;
}
