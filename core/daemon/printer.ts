import { formatDuration } from '../pipeline/8-report/quantity.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import { span, writeSpans, type Span, type Terminal } from '../pipeline/8-report/terminal.ts';
import type { Outcome } from '../pipeline/6-load/outcome.ts';
import type { Devpath } from '../vocabulary/devpath.ts';

/** Widths of the columns a person reads down; a longer word simply pushes its line on. */
const STATE_WIDTH = 14;
const NAME_WIDTH = 22;

/** A person does not notice; the next device's driver would wait for the line of the one before. */
const TOLD_AFTER_MS = 50;
/** So many are told at once at the latest, since each holds all that was thought about its device. */
const WAITING_MAX_DEVICES = 64;

/** The driver that a device has by now: one that was there already tries it at once, and is not waited for. */
type DriverOf = (devpath: Devpath) => string | undefined;

/** Prints a line for each device that asked for a driver, a moment after it was dealt with. */
export class DevicePrinter {
  readonly #write: (text: string) => void;
  readonly #terminal: Terminal;
  readonly #driverOf: DriverOf;
  #waiting: Handled[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (text: string) => void, terminal: Terminal, driverOf: DriverOf) {
    this.#write = write;
    this.#terminal = terminal;
    this.#driverOf = driverOf;
  }

  handled(handled: Handled): void {
    this.#waiting.push(handled);
    if (this.#waiting.length >= WAITING_MAX_DEVICES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), TOLD_AFTER_MS).unref();
  }

  /** Prints what waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting.map(handled => `${writeSpans(handledLine(handled, this.#driverOf), this.#terminal)}\n`);
    this.#waiting = [];
    if (lines.length > 0) this.#write(lines.join(''));
  }
}

/** What became of a device that asked for a driver → one line: its state, its name, its driver, and why. */
export function handledLine(handled: Handled, driverOf: DriverOf): readonly Span[] {
  const { device, candidates } = handled;
  const name = device.devpath.slice(device.devpath.lastIndexOf('/') + 1);
  const { state, style, why } = stateOf(handled, driverOf);
  const modules = candidates.map(({ module }) => module).join(' ');
  return [
    span(style, state.padEnd(STATE_WIDTH)),
    ' ',
    span('name', name.padEnd(NAME_WIDTH)),
    ` ${device.subsystem.padEnd(9)} `,
    ...(modules === '' ? [] : [modules]),
    span('faint', `${modules === '' ? '' : '  '}${why}`),
  ];
}

interface DeviceState {
  readonly state: string;
  readonly style: 'good' | 'bad' | 'warning' | 'faint';
  readonly why: string;
}

function stateOf({ device, candidates, decisions, outcomes }: Handled, driverOf: DriverOf): DeviceState {
  const refused = outcomes.find(({ kind }) => kind === 'refused' || kind === 'failed');
  const inserted = outcomes.filter(({ kind }) => kind === 'inserted' || kind === 'ran');
  const stopped = decisions.find(({ verdict }) => verdict === 'deny' || verdict === 'hold');
  const by = candidates[0] === undefined ? '' : `by ${candidates[0].match.pattern}`;
  if (refused !== undefined) return { state: 'refused', style: 'bad', why: refusalText(refused) };
  if (inserted.length > 0) return { state: 'loaded', style: 'good', why: `${by}, ${insertedText(inserted)}` };
  const driver = device.driver ?? driverOf(device.devpath);
  if (driver !== undefined) return { state: 'bound', style: 'good', why: `to ${driver}` };
  if (candidates.length === 0)
    return { state: 'no driver', style: 'warning', why: `nothing claims ${device.modalias ?? 'it'}` };
  if (stopped?.winner !== undefined)
    return { state: stopped.verdict === 'deny' ? 'denied' : 'held', style: 'bad', why: stopped.winner.reason };
  if (outcomes.some(({ kind }) => kind === 'observed')) return { state: 'would load', style: 'warning', why: by };
  if (outcomes.some(({ kind }) => kind === 'skipped'))
    return { state: 'skipped', style: 'warning', why: skippedText(outcomes) };
  return { state: 'not bound', style: 'warning', why: `its module is there, ${by}` };
}

function insertedText(outcomes: readonly Outcome[]): string {
  const ms = outcomes.reduce((sum, outcome) => sum + ('tookMs' in outcome ? outcome.tookMs : 0), 0);
  return `${outcomes.length} inserted in ${formatDuration(ms)}`;
}

function refusalText(outcome: Outcome): string {
  if (outcome.kind === 'refused') return `${outcome.module}: ${outcome.errno}, ${outcome.meaning}`;
  return outcome.kind === 'failed' ? `${outcome.module}: ${outcome.reason}` : '';
}

function skippedText(outcomes: readonly Outcome[]): string {
  const skipped = outcomes.find(outcome => outcome.kind === 'skipped');
  return skipped?.kind === 'skipped' ? skipped.reason : '';
}
