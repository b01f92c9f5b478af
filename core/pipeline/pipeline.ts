import { aliasOf } from '../kmod/lookup/module-match.ts';
import type { Modalias } from '../vocabulary/modalias.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';
import type { Uevent } from './1-intake/uevent.ts';
import type { Device } from './2-device/device.ts';
import type { DeviceTable } from './2-device/device-table.ts';
import type { ReadDevice } from './2-device/read-device.ts';
import type { Candidate } from './3-match/candidate.ts';
import { matchAlias, matchDevice } from './3-match/match-device.ts';
import { decide } from './4-policy/decide.ts';
import type { Decision } from './4-policy/opinion.ts';
import { askedFor, type Asker, type OpinionSource } from './4-policy/question.ts';
import type { SeenDevice } from './4-policy/seen-device.ts';
import { judgePlan } from './5-resolve/judge-plan.ts';
import type { LoadPlan } from './5-resolve/load-plan.ts';
import { planLoad, type ModuleState } from './5-resolve/plan-load.ts';
import type { ModuleWorld } from './5-resolve/probe-list.ts';
import { leavesAny, restrictPlan, type Refusals } from './5-resolve/restrict-plan.ts';
import type { PlanExecutor } from './6-load/execute-plan.ts';
import { laneOf, type Lanes } from './6-load/lanes.ts';
import type { Outcome } from './6-load/outcome.ts';
import type { AwaitingBind } from './7-ledger/awaiting-bind.ts';
import type { EntryId, Ledger } from './7-ledger/ledger.ts';
import { asDeliberation, type RequestFacts } from './7-ledger/request.ts';
import type { Reporter } from './8-report/reporter.ts';

/** What thinking about a device needs. Nothing in it is changed by it. */
export interface Mind {
  /** The module tree and configuration as of now; another value after a reload. */
  readonly world: () => ModuleWorld;
  readonly stateOf: (module: ModuleName) => ModuleState | undefined;
  readonly opinions: readonly OpinionSource[];
}

/** What the path of a uevent goes through; built once, by the daemon or by a replay. */
export interface Parts extends Mind {
  readonly devices: DeviceTable;
  readonly readDevice: ReadDevice;
  readonly executor: PlanExecutor;
  readonly lanes: Lanes;
  readonly ledger: Ledger;
  readonly awaitingBind: AwaitingBind;
  readonly reporter: Reporter;
  readonly gate?: DeviceGate;
  /** Absent where no rules are gone through for devices, so that their events pay nothing. */
  readonly rules?: DeviceRules;
}

/** Goes through the rules for each event of a device, and does what they say. */
export interface DeviceRules {
  /**
   * A promise only where something has to be waited for: a program, a file a driver holds back, a write. What comes of it is done once a driver
   * is found.
   */
  apply(event: Uevent): Promise<AfterRules | undefined> | AfterRules | undefined;
}

/** Programs that rules want to be run once all else is done for the device. */
export type AfterRules = () => Promise<void>;

/** Keeps the devices that policy holds, and lets in those it admits. */
export interface DeviceGate {
  /** Whether the event is of a device that may be shut out as a whole. */
  keepsWhole(event: Uevent): boolean;
  /** The modaliases that the parts of such a device will have. */
  wishesOf(device: Device): readonly Modalias[];
  /** The device as it is before anything is decided about it, when it is one that is shut out until then. */
  look(device: Device): SeenDevice | undefined;
  /** What was decided about the device has been carried out. `seen` is what `look` answered. Ends once it is let in, where it is. */
  decided(event: Uevent, entry: EntryId, device: Device, deliberated: Deliberated, seen?: SeenDevice): Promise<void>;
}

/** An event has come: it is in the record before anything is done about it, in the order of arrival. */
export function receiveUevent(event: Uevent, { ledger, reporter }: Parts): EntryId {
  reporter.emit('received', event);
  return ledger.record(event);
}

/**
 * One uevent's whole path, once it is its turn. Most events ask for no driver: they are done at once. An `add` with a MODALIAS goes
 * through all stages; the promise ends when its drivers are loaded and that is in the ledger.
 */
export function handleUevent(event: Uevent, entry: EntryId, parts: Parts): Promise<void> | undefined {
  parts.devices.apply(event);
  if (event.action === 'bind') noteBind(event, parts);
  const ruled = parts.rules?.apply(event);
  return ruled === undefined ? handleRuled(event, entry, parts) : handleWithRules(event, entry, parts, ruled);
}

async function handleWithRules(
  event: Uevent,
  entry: EntryId,
  parts: Parts,
  ruled: NonNullable<ReturnType<DeviceRules['apply']>>,
): Promise<void> {
  const after = await ruled;
  await handleRuled(event, entry, parts);
  await after?.();
}

/** Rules have said what they have to say of the device. */
function handleRuled(event: Uevent, entry: EntryId, parts: Parts): Promise<void> | undefined {
  if (asksForDriver(event)) return findDriver(event, entry, parts);
  return parts.gate?.keepsWhole(event) === true ? judgeWhole(event, entry, parts) : undefined;
}

/**
 * A device that is shut out as a whole asks for no driver yet. It is judged by what its parts will ask for once it is let in; then each
 * of them comes as an event of its own. There is an entry's decision only when it stays out.
 */
async function judgeWhole(event: Uevent, entry: EntryId, parts: Parts): Promise<void> {
  const { gate, ledger } = parts;
  const device = await parts.readDevice(event);
  const seen = device === undefined ? undefined : gate?.look(device);
  if (device === undefined || seen === undefined) return;
  const judged: Deliberated[] = [];
  for (const modalias of gate?.wishesOf(device) ?? [])
    judged.push(await deliberate({ kind: 'device', device: { ...device, modalias }, event }, parts));
  const whole: Deliberated = {
    candidates: judged.flatMap(({ candidates }) => candidates),
    decisions: judged.flatMap(({ decisions }) => decisions),
    plans: judged.flatMap(({ plans }) => plans),
    refusals: judged.flatMap(({ refusals }) => refusals),
  };
  const { candidates, decisions, plans, refusals } = whole;
  if (decisions.some(({ verdict }) => verdict === 'hold') || !leavesAny(plans, refusals)) {
    ledger.open(entry, { device, candidates, decisions, plans });
    ledger.commit(entry, []);
    parts.reporter.emit('handled', { event, device, candidates, decisions, plans, outcomes: [] });
  }
  await gate?.decided(event, entry, device, whole, seen);
}

async function findDriver(event: Uevent, entry: EntryId, parts: Parts): Promise<void> {
  const device = await parts.readDevice(event);
  if (device === undefined) return; // It went before its turn came: there is nothing to find a driver for.
  // The place in the lane is taken before anybody is asked: an answer may take its time, and a sibling must not overtake.
  await parts.lanes.run(laneOf(device), () => findDriverOf(device, event, entry, parts));
}

async function findDriverOf(device: Device, event: Uevent, entry: EntryId, parts: Parts): Promise<void> {
  const seen = parts.gate?.look(device);
  const deliberated = await deliberate({ kind: 'device', device, event }, parts);
  const { candidates, decisions, plans } = deliberated;
  parts.awaitingBind.expect(event.devpath, entry);
  parts.ledger.open(entry, { device, candidates, decisions, plans });
  const outcomes = await carryOut(deliberated, parts);
  parts.ledger.commit(entry, outcomes);
  parts.reporter.emit('handled', { event, device, candidates, decisions, plans, outcomes });
  await parts.gate?.decided(event, entry, device, deliberated, seen);
}

/** What a request led to. */
export interface Answered extends Deliberated {
  readonly outcomes: readonly Outcome[];
}

/**
 * A wish for modules that no uevent brought, on the same path: the kernel's request_module, an administrator's, or a held device whose
 * question was answered. It is a row of its own in the ledger, with its asking alias.
 */
export async function handleRequest(asker: Asker, facts: RequestFacts, parts: Parts): Promise<Answered> {
  const entry = parts.ledger.request(facts);
  const deliberated = await deliberate(asker, parts);
  const { candidates, decisions, plans } = deliberated;
  parts.ledger.open(entry, asDeliberation(facts, { candidates, decisions, plans }));
  const outcomes = await carryOut(deliberated, parts);
  parts.ledger.commit(entry, outcomes);
  return { ...deliberated, outcomes };
}

/** All there is to say of a wish for modules before anything is done about it. `refusals` stand beside the plans. */
export interface Deliberated {
  readonly candidates: readonly Candidate[];
  readonly decisions: readonly Decision[];
  readonly plans: readonly LoadPlan[];
  readonly refusals: readonly Refusals[];
}

/**
 * A device, an alias the kernel asks for, or a name an administrator gave → the candidates, a plan for each, and a verdict for every
 * module in a plan: the target, its dependencies, its softdeps. `usher why` tells what the daemon would do, because both ask here.
 */
export async function deliberate(asker: Asker, { world, stateOf, opinions }: Mind): Promise<Deliberated> {
  const modules = world();
  const candidates =
    asker.kind === 'device' ? matchDevice(asker.device, modules) : matchAlias(askedFor(asker) ?? '', modules);
  const decisions: Decision[] = [];
  const plans: LoadPlan[] = [];
  const refusals: Refusals[] = [];
  for (const candidate of candidates) {
    const asked = await decide({ module: candidate.module, role: 'target', candidate, asker }, opinions);
    const alias = aliasAsked(asker, candidate);
    const plan = planTarget(asked, candidate, alias, modules, stateOf);
    const verdicts = await judgePlan(plan, { candidate, asker, opinions }, [asked]);
    decisions.push(...verdicts.values());
    plans.push(plan);
    refusals.push(restrictPlan(plan, verdicts));
  }
  return { candidates, decisions, plans, refusals };
}

/** The alias whose `options` lines count; a module that was asked for by its own name has none. */
function aliasAsked(asker: Asker, { match }: Candidate): string | undefined {
  return asker.kind === 'device' ? asker.device.modalias : aliasOf(askedFor(asker) ?? '', match);
}

function planTarget(
  { winner, opinions }: Decision,
  candidate: Candidate,
  alias: string | undefined,
  world: ModuleWorld,
  stateOf: Mind['stateOf'],
): LoadPlan {
  const target = winner?.replacement ?? candidate.module;
  const adding = opinions.filter(({ parameters }) => parameters !== undefined);
  return planLoad(target, world, {
    states: { get: stateOf },
    ...(alias === undefined ? {} : { alias }),
    ...(adding.length === 0
      ? {}
      : {
          parameters: adding.map(({ parameters }) => parameters).join(' '),
          parameterPlaces: adding.flatMap(({ place }) => place ?? []),
        }),
  });
}

/**
 * One candidate's plan after another, in the order the alias named them. Where they change something, all that led to it is written down
 * first, and whoever acts has that put on disk before.
 */
async function carryOut(
  { plans, refusals }: Deliberated,
  { executor, ledger }: Pick<Parts, 'executor' | 'ledger'>,
): Promise<readonly Outcome[]> {
  const restsOn = plans.some(plan => executor.acts(plan)) ? ledger.keep() : undefined;
  const outcomes: Outcome[] = [];
  for (const [index, plan] of plans.entries())
    outcomes.push(...(await executor.execute(plan, refusals[index] ?? new Map(), restsOn)));
  return outcomes;
}

/**
 * Only `add` asks for a driver: loading on `bind` or `change` would bring back a module somebody has just removed, and `unbind`
 * carries no MODALIAS.
 */
function asksForDriver({ action, env }: Uevent): boolean {
  return action === 'add' && env['MODALIAS'] !== undefined && env['MODALIAS'] !== '';
}

/** A `bind` is the proof that a driver took a device; that its module was inserted is none. */
function noteBind({ devpath, env }: Uevent, { awaitingBind, ledger }: Parts): void {
  const driver = env['DRIVER'];
  if (driver !== undefined) ledger.bound(awaitingBind.take(devpath), devpath, driver);
}
