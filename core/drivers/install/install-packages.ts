import { aptComplaint, parseSimulation, runAptGet, statusText } from './apt-get.ts';
import { withoutNetwork } from './confine.ts';
import { qualifiedName, wanted, workFolders } from './fetch-packages.ts';
import type { InstallHands } from './install-hands.ts';
import { keepBuildLog } from './dkms.ts';
import { runTool, type ToolEnd } from './run-tool.ts';
import type { PackageChange, StepAnswer, Transaction } from './transaction.ts';

/**
 * Installs what was fetched and checked: apt-get as root in an empty network namespace, which may take nothing but those files. apt
 * compares their hashes with the signed index again.
 */
export async function installPackages(transaction: Transaction, hands: InstallHands): Promise<StepAnswer> {
  const { roots, tell } = hands;
  const { work, checked } = workFolders(roots, transaction.id);
  const options = ['APT::Status-Fd=3', `Dir::Cache::archives=${checked}`].flatMap(option => ['-o', option]);
  const end = await runAptGet(
    ['install', '--no-download', ...options, ...wanted(transaction)],
    { root: roots.root, workDir: work },
    {
      confine: withoutNetwork,
      onStatus: line => {
        const text = statusText(line);
        if (text !== undefined) tell(text);
      },
    },
  );
  if (end.status === 0) return { kind: 'done' };
  const log = keepBuildLog(transaction, hands);
  return {
    kind: 'failed',
    message: `the package manager could not install it: ${aptComplaint(end)}`,
    ...(log === undefined ? {} : { log }),
  };
}

/** What purging the new packages would take away besides them; undefined when apt cannot say. */
async function takenBesides(
  added: readonly PackageChange[],
  { roots }: InstallHands,
  id: string,
): Promise<readonly string[] | undefined> {
  const { work } = workFolders(roots, id);
  const names = new Set(added.map(({ name }) => name));
  // The last word counts: `--remove` takes back the `--no-remove` that stands before it.
  const words = ['-s', '--remove', 'purge', ...added.map(each => qualifiedName(each))];
  const end = await runAptGet(words, { root: roots.root, workDir: work });
  return end.status === 0 ? parseSimulation(end.stdout).removed.filter(name => !names.has(name)) : undefined;
}

/** Takes away the packages that were not there before → why that failed, or undefined. What was only replaced stays. */
export async function purgePackages(transaction: Transaction, hands: InstallHands): Promise<string | undefined> {
  const { roots, tell } = hands;
  const added = transaction.packages.filter(({ before }) => before === undefined);
  if (added.length === 0) return undefined;
  const names = added.map(each => qualifiedName(each));
  const besides = await takenBesides(added, hands, transaction.id);
  if (besides !== undefined && besides.length > 0)
    return `other packages need them by now: ${besides.join(', ')} would go, too`;
  const { work } = workFolders(roots, transaction.id);
  const purge = await runAptGet(
    ['--remove', 'purge', ...names],
    { root: roots.root, workDir: work },
    { confine: withoutNetwork },
  );
  if (purge.status === 0) return undefined;
  tell('the package manager is in disorder; dpkg takes the packages away by itself');
  const forced = await runDpkg(['--force-remove-reinstreq', '--purge', ...names], hands);
  return forced.status === 0 ? undefined : `the packages could not be taken away: ${aptComplaint(forced)}`;
}

/** Has dpkg finish what was begun and cut off. */
export function configurePending(hands: InstallHands): Promise<ToolEnd> {
  return runDpkg(['--configure', '-a'], hands);
}

function runDpkg(words: readonly string[], { roots }: InstallHands): Promise<ToolEnd> {
  const root =
    roots.root === '/' ? [] : [`--root=${roots.root}`, '--force-not-root', `--log=${roots.root}/var/log/dpkg.log`];
  return runTool(withoutNetwork(['dpkg', ...root, ...words]));
}
