import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readSysfsDevice, type SysfsDevice } from '../../kernel/sysfs.ts';
import { decodeTaint, readTaint } from '../../kernel/taint.ts';
import { deviceOf } from '../../pipeline/2-device/read-device.ts';
import { PlanExecutor } from '../../pipeline/6-load/execute-plan.ts';
import { KernelLoader } from '../../pipeline/6-load/kernel-loader.ts';
import type { Outcome } from '../../pipeline/6-load/outcome.ts';
import { askBusToProbe } from '../../pipeline/6-load/reprobe.ts';
import { deliberate } from '../../pipeline/pipeline.ts';
import { parseDevpath } from '../../vocabulary/devpath.ts';
import { indexModules } from './index-modules.ts';
import type { InstallHands } from './install-hands.ts';
import { enrolmentSteps } from './secure-boot-steps.ts';
import type { StepAnswer, Transaction } from './transaction.ts';
import { monotonicMs } from '../../vocabulary/monotonic-clock.ts';

/** How long a device may take to be bound after its module is in, in ms: some probe in the background, for firmware. */
const BIND_MAX_MS = 15_000;
const LOOK_EVERY_MS = 100;

/** Writes the indexes of the kernel's module tree anew. */
export async function indexStep({ release }: Transaction, { roots }: InstallHands): Promise<StepAnswer> {
  const dir = await indexModules(roots, release);
  return dir === undefined
    ? { kind: 'failed', message: `there is no module tree of ${release} below ${roots.root}` }
    : { kind: 'done' };
}

/**
 * Matches the device again and has its modules loaded, on the way every device goes: by the daemon when one runs, else here, with
 * the same opinions. What the kernel has now that it had not before is what this brought. Below another
 * root nothing is loaded: the kernel that runs is not its own.
 */
export async function loadStep(transaction: Transaction, hands: InstallHands): Promise<StepAnswer> {
  const { roots } = hands;
  if (!roots.isRunningSystem) return { kind: 'done' };
  const device = deviceAt(transaction, hands);
  if (device === undefined)
    return { kind: 'failed', message: `${transaction.device} is gone: it was unplugged meanwhile` };
  const before = new Set(loadedModules(roots.sys));
  const taintBefore = readTaint(roots.proc) ?? 0n;
  await using mind = await hands.openMind(transaction.release);
  const thought = await deliberate({ kind: 'device', device: deviceOf(device) }, mind);
  if (thought.candidates.length === 0)
    return {
      kind: 'failed',
      message: `no module in the tree of ${transaction.release} claims ${transaction.modalias}`,
      advice: ['What was installed is for another kernel, or for another device.'],
    };
  const byDaemon = await hands.daemonReprobes(transaction.device);
  const outcomes: Outcome[] = [...(byDaemon ?? [])];
  if (byDaemon === undefined) {
    const executor = new PlanExecutor(new KernelLoader(roots, () => mind.world().tree), { observes: false });
    for (const [n, plan] of thought.plans.entries())
      outcomes.push(...(await executor.execute(plan, thought.refusals[n] ?? new Map())));
  }
  // Where the module was there already, nothing made the bus try again what only firmware kept from working.
  if (deviceAt(transaction, hands)?.driver === undefined) await askBusToProbe(roots, device);
  const after = readTaint(roots.proc) ?? 0n;
  const facts = {
    modules: loadedModules(roots.sys).filter(module => !before.has(module)),
    ...(after === taintBefore
      ? {}
      : {
          taint: {
            before: taintBefore.toString(),
            after: after.toString(),
            letters: decodeTaint(after & ~taintBefore)
              .map(({ letter }) => letter)
              .join(''),
          },
        }),
  };
  const refused = outcomes.find(outcome => outcome.kind === 'refused');
  if (refused?.kind === 'refused')
    return {
      kind: 'failed',
      message: `the kernel refused ${refused.module}: ${refused.errno}, ${refused.meaning}`,
      advice:
        refused.errno === 'EKEYREJECTED' || refused.errno === 'EPERM' ? enrolmentSteps(roots, transaction.release) : [],
    };
  const skipped = outcomes.find(outcome => outcome.kind === 'skipped');
  if (skipped?.kind === 'skipped' && facts.modules.length === 0 && deviceAt(transaction, hands)?.driver === undefined)
    return { kind: 'failed', message: `${skipped.module} was not loaded: ${skipped.reason}` };
  return { kind: 'done', facts };
}

/** Waits until a driver has the device: the link in sysfs is the kernel's own word. */
export async function verifyStep(transaction: Transaction, hands: InstallHands): Promise<StepAnswer> {
  if (!hands.roots.isRunningSystem) return { kind: 'done' };
  const until = monotonicMs() + BIND_MAX_MS;
  for (;;) {
    const device = deviceAt(transaction, hands);
    if (device === undefined)
      return { kind: 'failed', message: `${transaction.device} is gone: it was unplugged meanwhile` };
    // Firmware works for the driver that is there; a driver that was chosen over that one has to take its place.
    const isStill = device.driver === transaction.driverBefore && transaction.candidate.delivers === 'module';
    if (device.driver !== undefined && !isStill) return { kind: 'done', facts: { driver: device.driver } };
    if (monotonicMs() > until) break;
    await pause(LOOK_EVERY_MS);
  }
  if (transaction.driverBefore !== undefined && transaction.candidate.delivers === 'module')
    return {
      kind: 'failed',
      message: `${transaction.device} is still driven by ${transaction.driverBefore}`,
      advice: [
        'A device stays with its driver until it is plugged in anew or unbound; the plugin driver-override keeps one for another.',
      ],
    };
  return {
    kind: 'failed',
    message: `no driver has taken ${transaction.device} after ${BIND_MAX_MS / 1000} s`,
    advice: [
      `usher why ${path.basename(transaction.device)} tells what became of it; the kernel's log may say more.`,
      ...enrolmentSteps(hands.roots, transaction.release),
    ],
  };
}

function deviceAt({ device }: Transaction, { roots }: InstallHands): SysfsDevice | undefined {
  const devpath = parseDevpath(device);
  return devpath === undefined ? undefined : readSysfsDevice(roots, devpath);
}

/** Modules the kernel has, of those that can be loaded; built-in ones have no initstate. */
function loadedModules(sys: string): readonly string[] {
  try {
    return readdirSync(path.join(sys, 'module')).toSorted();
  } catch {
    return [];
  }
}
