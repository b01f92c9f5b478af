import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UsherdError } from '../errors.ts';
import { parseUeventFile } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { Loss, Rejection } from '../pipeline/1-intake/intake-sink.ts';
import { parseRecording } from '../pipeline/1-intake/recording.ts';
import { replay } from '../pipeline/1-intake/replay-source.ts';
import { UeventQueue } from '../pipeline/1-intake/uevent-queue.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import { DeviceTable } from '../pipeline/2-device/device-table.ts';
import { deviceFromEvent } from '../pipeline/2-device/read-device.ts';
import { PlanExecutor } from '../pipeline/6-load/execute-plan.ts';
import { Lanes } from '../pipeline/6-load/lanes.ts';
import { NotingLoader } from '../pipeline/6-load/noting-loader.ts';
import { AwaitingBind } from '../pipeline/7-ledger/awaiting-bind.ts';
import type { HistoryEntry } from '../pipeline/7-ledger/history-entry.ts';
import { History } from '../pipeline/7-ledger/history.ts';
import { Ledger, type EntryId } from '../pipeline/7-ledger/ledger.ts';
import { Reporter } from '../pipeline/8-report/reporter.ts';
import { handleUevent, receiveUevent, type Mind } from '../pipeline/pipeline.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { moduleNameOfPath } from '../vocabulary/module-name.ts';
import type { Problem } from '../vocabulary/place.ts';
import { VERSION } from '../version.ts';
import { ruleOpinions } from '../pipeline/4-policy/rules/rule-opinions.ts';
import { openAskedPlugins } from './asked-plugins.ts';
import { openWorld, type OpenedWorld } from './module-world.ts';
import { opinionSources } from './observer.ts';
import { readRulePolicy } from './rules-in-force.ts';
import { treeTraits } from './tree-traits.ts';

export interface ReplayOptions {
  readonly roots: SystemRoot;
  /** By default the recording's. */
  readonly release: string | undefined;
  readonly isPaced: boolean;
  readonly signal: AbortSignal;
  /** Told of plugins that cannot be asked. */
  readonly notice: (message: string) => void;
}

/** What a recording led to, read back from a ledger of its own, and the mind that thought it. */
export interface Replayed {
  readonly entries: readonly HistoryEntry[];
  readonly problems: readonly Problem[];
  readonly rejections: readonly Rejection[];
  readonly losses: readonly Loss[];
  readonly mind: Mind;
  readonly world: OpenedWorld;
}

/**
 * Plays a recording through the whole pipeline: the real parts, but for the kernel, whose place a loader takes that only notes what
 * is asked of it. The ledger is a temporary file.
 * @throws {UsherdError} FILE_UNREADABLE, RECORDING_DAMAGED
 */
export async function replayRecording(
  file: string,
  { roots, release, isPaced, signal, notice }: ReplayOptions,
): Promise<Replayed> {
  const recording = parseRecording(readRecording(file), file);
  const world = openWorld(roots, release ?? recording.header.kernel);
  const loader = new NotingLoader(module => world.tree.isBuiltin(module), moduleNameOfPath);
  const rules = readRulePolicy(
    roots,
    treeTraits(() => world.tree),
  );
  await using plugins = await openAskedPlugins(roots, { traitsOf: rules.traitsOf, notice, hasSysfs: false });
  const mind: Mind = {
    world: () => world,
    stateOf: module => loader.stateOf(module),
    opinions: [...opinionSources(() => world.config, undefined, [ruleOpinions(rules)]), ...plugins.opinions],
  };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-replay-'));
  // Time is what the recording says it was.
  let nowMs = recording.header.started.getTime();
  const ledger = Ledger.open(path.join(folder, 'ledger.sqlite'), { now: () => nowMs });
  try {
    ledger.beginRun({
      bootId: 'replay',
      startedAtMs: nowMs,
      kernelRelease: release ?? recording.header.kernel,
      version: VERSION,
      source: 'replay',
      mode: 'observe',
    });
    const sysfs = new Map<Devpath, Readonly<Record<string, string>>>();
    const parts = {
      ...mind,
      devices: new DeviceTable(),
      readDevice: (event: Uevent) => deviceFromEvent({ ...event, env: sysfs.get(event.devpath) ?? event.env }),
      executor: new PlanExecutor(loader, { observes: false, clock: () => 0 }),
      lanes: new Lanes(),
      ledger,
      awaitingBind: new AwaitingBind(),
      reporter: new Reporter(),
    };
    const queue = new UeventQueue<EntryId>({
      handle: (event, entry) => {
        nowMs = event.receivedAtMs;
        return handleUevent(event, entry, parts);
      },
      failed: (_event, error) => {
        throw error;
      },
    });
    const rejections: Rejection[] = [];
    const losses: Loss[] = [];
    await replay(
      recording,
      {
        uevents: batch => batch.forEach(event => queue.push(event, receiveUevent(event, parts))),
        rejected: rejection => rejections.push(rejection),
        lost: loss => losses.push(loss),
      },
      {
        isPaced,
        signal,
        sysfs: ({ devpath, attrs }) => {
          if (attrs['uevent'] !== undefined) sysfs.set(devpath, parseUeventFile(attrs['uevent']));
        },
      },
    );
    await queue.settled;
    ledger.close('the recording has ended');
    const history = History.open(ledger.path);
    const entries = [...history.query({ order: 'oldest-first' })];
    history.close();
    return { entries, problems: recording.problems, rejections, losses, mind, world };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readRecording(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}
