import { UsherdError } from '../errors.ts';
import { sourceText } from '../drivers/driver-report.ts';
import { carryOut } from '../drivers/install/carry-out.ts';
import type { InstallHands } from '../drivers/install/install-hands.ts';
import { readJournals } from '../drivers/install/journal.ts';
import { newTransaction, planInstall, transactionId, type InstallPlan } from '../drivers/install/plan-install.ts';
import { STEP_TEXT, type Consent, type Transaction } from '../drivers/install/transaction.ts';
import { undo } from '../drivers/install/undo.ts';
import { chosenOf, type RankedCandidate } from '../drivers/rank.ts';
import type { DriverSearch } from '../drivers/search.ts';
import { readSysfsDevice, walkSysfs } from '../kernel/sysfs.ts';
import { formatBytes } from '../pipeline/8-report/quantity.ts';
import { parseDevpath } from '../vocabulary/devpath.ts';
import { askYesNo, canAsk } from './ask-person.ts';
import { installHands } from './install-hands.ts';
import { printJson, printLines } from './output.ts';
import { recoverAll } from './recover-drivers.ts';
import { searchAll } from './search-drivers.ts';
import type { Caller } from './verb.ts';

/** Statuses of usher driver install. */
const FAILED = 14;
const NO_CONSENT = 15;

export interface InstallWish {
  readonly isYes: boolean;
  readonly isDryRun: boolean;
  readonly undoOnFailure: boolean;
}

type Planned = Extract<InstallPlan, { kind: 'planned' }>;

/** Installs the driver of one device: the best, or the named one. @throws {UsherdError} USAGE, NOT_FOUND, NOT_PERMITTED */
export async function installDriver(
  [device, named]: readonly string[],
  wish: InstallWish,
  caller: Caller,
): Promise<number> {
  if (device === undefined) throw new UsherdError('USAGE', 'usher driver install needs a device, or --by-policy');
  const hands = handsOf(caller);
  if (!wish.isDryRun) await recoverAll(caller, hands);
  const searches: DriverSearch[] = [];
  for await (const each of searchAll([device], caller)) searches.push(each);
  const [search, ...others] = searches;
  if (search?.wish.devpath === undefined)
    throw new UsherdError('NOT_FOUND', `${device} is no device that is there; usher driver search takes any modalias`);
  if (others.length > 0)
    throw new UsherdError('USAGE', `"${device}" means ${others.length + 1} devices; name one of them`);
  const candidate = candidateOf(search, named);
  const bound = driverOf(search.wish.devpath, hands);
  if (bound !== undefined && named === undefined)
    throw new UsherdError(
      'USAGE',
      `${device} is driven by ${bound} already; name the candidate that is to be installed all the same`,
    );
  const id = transactionId(search.wish.devpath);
  const plan = await planInstall(candidate, id, hands);
  if (plan.kind === 'refused') throw new UsherdError('NOT_FOUND', `${candidate.candidate.id}: ${plan.reason}`);
  if (caller.isJson ? wish.isDryRun : true) tellPlan(plan, search, caller);
  if (wish.isDryRun) return 0;
  const how = await consentOf(wish);
  if (how === undefined) {
    caller.stderr.write('usher: nothing was changed: it takes an answer at a terminal, or --yes\n');
    return NO_CONSENT;
  }
  const consent = { uid: caller.uid, how, at: new Date().toISOString() };
  return carryOutAndTell(plan, search, consent, { id, wish, caller, hands });
}

/** Installs, for every device without a driver, what comes from an origin that settings let in without asking. */
export async function installByPolicy(wish: InstallWish, caller: Caller): Promise<number> {
  const hands = handsOf(caller);
  await recoverAll(caller, hands);
  const { installFrom } = hands.settings;
  let status = 0;
  if (installFrom.length === 0) return status;
  for (const { devpath, driver, modalias } of walkSysfs(caller.roots)) {
    if (driver !== undefined || modalias === undefined) continue;
    for await (const search of searchAll([devpath], caller)) {
      const chosen = chosenOf(search.ranked);
      const origin = chosen?.candidate.origin.name ?? '';
      if (chosen === undefined || chosen.candidate.source.kind === 'module' || !installFrom.includes(origin)) continue;
      // What was tried and taken back, or removed by somebody, is not installed again by itself.
      if (wasTried(chosen, devpath, hands)) continue;
      const id = transactionId(devpath);
      const plan = await planInstall(chosen, id, hands);
      if (plan.kind === 'refused') continue;
      if (wish.isDryRun) tellPlan(plan, search, caller);
      else {
        const consent = { uid: caller.uid, how: `policy: ${origin}`, at: new Date().toISOString() };
        status = (await carryOutAndTell(plan, search, consent, { id, wish, caller, hands })) || status;
      }
    }
  }
  return status;
}

/** Whether this very version was installed for the device before, whatever became of it. */
function wasTried({ candidate: { id, source } }: RankedCandidate, devpath: string, { roots }: InstallHands): boolean {
  const version = source.kind === 'module' ? '' : source.version;
  return readJournals(roots.stateDir).transactions.some(
    ({ device, candidate }) => device === devpath && candidate.id === id && candidate.version === version,
  );
}

function handsOf(caller: Caller): InstallHands {
  return installHands(caller, text => {
    if (!caller.isJson) caller.stderr.write(`  ${text}\n`);
  });
}

/** @throws {UsherdError} NOT_FOUND */
function candidateOf({ ranked, wish }: DriverSearch, named: string | undefined): RankedCandidate {
  const found =
    named === undefined
      ? chosenOf(ranked)
      : ranked.find(({ candidate }) => candidate.id === named && candidate.source.kind !== 'module');
  if (found === undefined)
    throw new UsherdError(
      'NOT_FOUND',
      named === undefined
        ? `nothing is known for ${wish.modalias} that may be taken unasked; there is ${ranked.map(({ candidate }) => candidate.id).join(', ') || 'nothing'}`
        : `"${named}" is no candidate for ${wish.modalias}; there is ${ranked.map(({ candidate }) => candidate.id).join(', ') || 'nothing'}`,
    );
  if (found.candidate.source.kind === 'module')
    throw new UsherdError(
      'NOT_FOUND',
      `the kernel has ${found.candidate.id} for it already; usher why tells what keeps it from the device`,
    );
  return found;
}

function driverOf(device: string, { roots }: InstallHands): string | undefined {
  const devpath = parseDevpath(device);
  return devpath === undefined ? undefined : readSysfsDevice(roots, devpath)?.driver;
}

function tellPlan({ candidate: ranked, packages }: Planned, { wish }: DriverSearch, caller: Caller): void {
  const { candidate, reasons, flags } = { ...ranked, candidate: ranked.candidate };
  if (caller.isJson) {
    printJson(caller, { device: wish.devpath, candidate: candidate.id, packages });
    return;
  }
  printLines(caller, [
    `${candidate.id} ${sourceText(candidate)}`,
    `  for ${wish.devpath ?? ''} (${wish.modalias})`,
    ...[...reasons, ...flags].map(text => `  ${text}`),
    ...packages.map(
      ({ name, version, before, origin, sizeBytes }) =>
        `  ${before === undefined ? 'installs' : `replaces ${before} of`} ${name} ${version} from ${origin}${sizeBytes === undefined ? '' : `, ${formatBytes(sizeBytes)}`}`,
    ),
  ]);
}

/** How consent was given, or undefined when it was not. */
async function consentOf({ isYes }: InstallWish): Promise<string | undefined> {
  if (isYes) return '--yes';
  if (!canAsk()) return undefined;
  return (await askYesNo('Install it?', { enterMeans: false })) ? 'answered' : undefined;
}

async function carryOutAndTell(
  plan: Planned,
  search: DriverSearch,
  consent: Consent,
  { id, wish, caller, hands }: { id: string; wish: InstallWish; caller: Caller; hands: InstallHands },
): Promise<number> {
  const ended = await carryOut(
    newTransaction(plan, search, consent, { id, driverBefore: driverOf(search.wish.devpath ?? '', hands) }),
    hands,
  );
  if (ended.state === 'bound' || ended.state === 'installed') {
    if (caller.isJson) printJson(caller, ended);
    else printLines(caller, boundLines(ended));
    return 0;
  }
  for (const line of troubleLines(ended)) caller.stderr.write(`${line}\n`);
  const changedNothing = ended.trouble?.step === 'fetch';
  const takeBack =
    changedNothing ||
    wish.undoOnFailure ||
    (canAsk() && !caller.isJson && (await askYesNo('Take it back?', { enterMeans: true })));
  if (!takeBack) {
    caller.stderr.write(`usher: what was done is still there; usher driver remove ${ended.id} takes it back\n`);
    if (caller.isJson) printJson(caller, ended);
    return FAILED;
  }
  const { transaction, left } = await undo(ended, 'undone', hands);
  if (caller.isJson) printJson(caller, { ...transaction, left });
  else
    printLines(caller, [
      transaction.state === 'undone' ? 'it is taken back' : 'it could not be taken back whole',
      ...left.map(text => `  ${text}`),
    ]);
  return FAILED;
}

function boundLines({ id, driver, device, modules, taint }: Transaction): readonly string[] {
  return [
    driver === undefined
      ? `it is in place for ${device}, once the kernel of this root runs`
      : `${driver} has ${device} now`,
    ...(modules.length === 0 ? [] : [`  loaded: ${modules.join(', ')}`]),
    ...(taint === undefined ? [] : [`  the kernel is tainted by it: ${taint.letters}`]),
    `  usher driver remove ${id} goes back`,
  ];
}

/** What went wrong, where, and what to do. */
export function troubleLines({ trouble }: Transaction): readonly string[] {
  if (trouble === undefined) return [];
  return [
    `usher: it could not ${STEP_TEXT[trouble.step]}: ${trouble.message}`,
    ...(trouble.log === undefined ? [] : [`  all the build said is in ${trouble.log}`]),
    ...trouble.advice.map(text => `  ${text}`),
  ];
}
