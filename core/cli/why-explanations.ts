import { findAliasLine } from '../kmod/lookup/find-alias-line.ts';
import type { ModuleTree } from '../kmod/module-tree.ts';
import type { SysfsDevice } from '../kernel/sysfs.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import { deviceOf } from '../pipeline/2-device/read-device.ts';
import type { Candidate } from '../pipeline/3-match/candidate.ts';
import type { HistoryEntry } from '../pipeline/7-ledger/history-entry.ts';
import { explanationOf, type Explanation, type SearchedFile } from '../pipeline/8-report/explanation.ts';
import { deliberate, type Mind } from '../pipeline/pipeline.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import type { Modalias } from '../vocabulary/modalias.ts';

/** A device that is there → what the daemon would think of it now. */
export function explainDevice(device: SysfsDevice, mind: Mind): Promise<Explanation> {
  return think(deviceOf(device), mind);
}

/** A modalias that need not be of any device → what it would lead to. It stands where the device's path would. */
export function explainModalias(modalias: Modalias, mind: Mind): Promise<Explanation> {
  const subsystem = modalias.slice(0, modalias.indexOf(':'));
  return think({ devpath: modalias as string as Devpath, subsystem, modalias }, mind);
}

/** What a ledger has of an event. */
export function explainRecorded(entry: HistoryEntry, mind: Mind): Explanation {
  const told = explanationOf(entry, searchedFiles(entry.deliberation?.candidates ?? [], mind));
  return { ...told, candidates: withLines(told.candidates, mind.world().tree) };
}

/** What the ledger has of a device that is there, and the driver it has now. */
export function explainEntry(entry: HistoryEntry, driver: string | undefined, mind: Mind): Explanation {
  const told = explainRecorded(entry, mind);
  return { ...told, device: { ...told.device, ...(driver === undefined ? {} : { driver }) } };
}

async function think(device: Device, mind: Mind): Promise<Explanation> {
  const { candidates, decisions, plans } = await deliberate({ kind: 'device', device }, mind);
  return {
    device,
    searched: searchedFiles(candidates, mind),
    candidates: withLines(candidates, mind.world().tree),
    decisions,
    plans,
    outcomes: [],
    state: 'dry-run',
    binds: [],
  };
}

/** An index knows no lines; the text beside it does. */
function withLines(candidates: readonly Candidate[], tree: ModuleTree): readonly Candidate[] {
  return candidates.map(({ module, match }) => ({ module, match: { ...match, place: findAliasLine(tree, match) } }));
}

/** What was searched in vain; where something was found nobody asks, and counting reads the whole index. */
function searchedFiles(candidates: readonly Candidate[], { world }: Mind): readonly SearchedFile[] {
  if (candidates.length > 0) return [];
  const { tree, config } = world();
  const configured = new Map<string, number>();
  for (const { kind, place } of config.directives) {
    if (kind === 'alias') configured.set(place.file, (configured.get(place.file) ?? 0) + 1);
  }
  return [
    ...[...configured].map(([file, patterns]) => ({ file, patterns })),
    ...[tree.aliasIndex(), tree.builtinAliasIndex()].map(index => ({ file: index.file, patterns: index.size })),
  ];
}
