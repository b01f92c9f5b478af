import { assertNever } from '../../vocabulary/assert-never.ts';
import { parentDevpath, type Devpath } from '../../vocabulary/devpath.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Device } from '../2-device/device.ts';
import { toJson, type Json } from './json.ts';
import { formatTable, type Column } from './table.ts';
import { span, type Span, type Terminal } from './terminal.ts';
import { formatTree, type Branch } from './tree.ts';

/** A device and the modules that may drive it. */
export interface DeviceFacts {
  readonly device: Device;
  readonly candidates: readonly ModuleName[];
  /** Those of them that are loaded or built in. */
  readonly present: readonly ModuleName[];
}

/** How far a device got on the way to its driver. */
export type DeviceState = 'bound' | 'loaded-not-bound' | 'matched-not-loaded' | 'no-module' | 'no-modalias';

export function deviceState({ device, candidates, present }: DeviceFacts): DeviceState {
  if (device.driver !== undefined) return 'bound';
  if (device.modalias === undefined) return 'no-modalias';
  if (candidates.length === 0) return 'no-module';
  return present.length > 0 ? 'loaded-not-bound' : 'matched-not-loaded';
}

const COLUMNS: readonly Column[] = [
  { title: 'DEVICE', canShrink: true },
  { title: 'SUBSYSTEM' },
  { title: 'DRIVER' },
  { title: 'MODULES', canShrink: true },
  { title: 'STATE' },
];

/** Devices → a table, a line each, in the order given. */
export function formatDeviceTable(devices: readonly DeviceFacts[], terminal: Terminal): string[] {
  const rows = devices.map((facts): Span[] => [
    facts.device.devpath,
    facts.device.subsystem,
    span('good', facts.device.driver ?? ''),
    span('name', facts.candidates.join(' ')),
    stateSpan(deviceState(facts)),
  ]);
  return formatTable(COLUMNS, rows, terminal);
}

/** Devices → a tree, each below the nearest ancestor that is in the list, in devpath order. */
export function formatDeviceTree(devices: readonly DeviceFacts[], terminal: Terminal): string[] {
  const byDevpath = new Map(devices.map(facts => [facts.device.devpath, facts]));
  const children = new Map<Devpath | undefined, DeviceFacts[]>();
  const sorted = devices.toSorted((a, b) => compareText(a.device.devpath, b.device.devpath));
  for (const facts of sorted) {
    const above = nearestAbove(facts.device.devpath, byDevpath);
    children.set(above, [...(children.get(above) ?? []), facts]);
  }
  const branchOf = (facts: DeviceFacts, above: Devpath | undefined): Branch => ({
    line: deviceSpans(facts, above),
    children: (children.get(facts.device.devpath) ?? []).map(each => branchOf(each, facts.device.devpath)),
  });
  return (children.get(undefined) ?? []).flatMap(facts => formatTree(branchOf(facts, undefined), terminal));
}

/** A device → its JSON: the fields of DeviceFacts, and `state`. */
export function deviceToJson(facts: DeviceFacts): Json {
  return toJson({ ...facts, state: deviceState(facts) });
}

function deviceSpans(facts: DeviceFacts, above: Devpath | undefined): Span[] {
  const { devpath, subsystem, driver } = facts.device;
  const state = deviceState(facts);
  const name = above === undefined ? devpath : devpath.slice(above.length + 1);
  const modules = facts.candidates.join(' ');
  const spans: Span[] = [span('title', name), span('faint', ` (${subsystem})`)];
  if (driver !== undefined) return [...spans, ' driver ', span('good', driver)];
  if (state === 'no-modalias') return spans;
  return [...spans, ' ', stateSpan(state), ...(modules === '' ? [] : [': ', span('name', modules)])];
}

function stateSpan(state: DeviceState): Span {
  switch (state) {
    case 'bound':
      return span('good', 'bound');
    case 'loaded-not-bound':
      return span('warning', 'loaded, not bound');
    case 'matched-not-loaded':
      return span('warning', 'not loaded');
    case 'no-module':
      return span('bad', 'no module');
    case 'no-modalias':
      return span('faint', 'no modalias');
    default:
      return assertNever(state);
  }
}

function nearestAbove(devpath: Devpath, known: ReadonlyMap<Devpath, DeviceFacts>): Devpath | undefined {
  let above = parentDevpath(devpath);
  while (above !== undefined && !known.has(above)) above = parentDevpath(above);
  return above;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
