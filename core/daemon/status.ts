import type { StatusFacts } from '../pipeline/8-report/status-report.ts';
import type { KernelRelease } from '../vocabulary/kernel-release.ts';
import { VERSION } from '../version.ts';
import type { Daemon } from './daemon.ts';

/** A running daemon → what it says of itself. */
export function statusOf(daemon: Daemon): StatusFacts {
  const { counts, losses, options, queue, sourceFacts, world, startedAtMs, ledger, plugins } = daemon;
  return {
    version: VERSION,
    pid: process.pid,
    startedAtMs,
    mode: options.observes ? 'observe' : 'load',
    ...(options.observes ? { observesBecause: observesBecause(daemon) } : {}),
    kernelRelease: options.release as KernelRelease,
    ...(world.hasTree ? { modulesDir: world.tree.dir } : {}),
    triedModulesDirs: world.lookedIn,
    source: sourceFacts?.choice.group ?? 'nothing yet',
    ...(sourceFacts === undefined ? {} : { bufferBytes: sourceFacts.grantedBytes }),
    eventsHandled: counts.received - queue.size,
    eventsInFlight: queue.inFlight,
    eventsRejected: counts.rejected,
    overruns: losses.overruns,
    modulesInserted: counts.loads,
    loadsFailed: counts.failures,
    ledger: ledger.stats(),
    plugins: plugins.list().flatMap(({ name, state }) => (state === 'off' ? [] : [{ name, state }])),
  };
}

function observesBecause({ options }: Daemon): string {
  if (options.settings.observe) return 'it was told to';
  return options.roots.isRunningSystem ? 'it does not run as root' : 'it looks at another root than the running system';
}
