import type { Devpath } from '../../vocabulary/devpath.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { Seqnum } from '../../vocabulary/seqnum.ts';
import type { Action, Origin, Uevent } from '../1-intake/uevent.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Opinion, VerdictKind } from '../4-policy/opinion.ts';
import type { LoadPlan, Role, Step } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Connection } from './database.ts';
import { WINNER_APART } from './decision-rows.ts';
import type { Deliberation, EntryResult } from './deliberation.ts';
import type { HistoryEntry } from './history-entry.ts';
import type { EntryId } from './entry-id.ts';
import { TextReader } from './text-reader.ts';
import { unpackEnv } from './uevent-row.ts';

/** A row of `uevent` with its decision and ending, as ENTRY_COLUMNS selects it. */
export interface EntryRow {
  readonly id: number;
  readonly run: number;
  readonly at_ms: number;
  readonly seqnum: string | null;
  readonly action: number;
  readonly devpath: number;
  readonly subsystem: number;
  readonly modalias: number | null;
  readonly driver: number | null;
  readonly origin: number;
  readonly origin_pid: number | null;
  readonly synth_uuid: number | null;
  readonly env_keys: number;
  readonly env_values: number | string;
  readonly decision_id: number | null;
  readonly decided_ms: number | null;
  readonly ending_id: number | null;
  readonly ended_ms: number | null;
  readonly result: EntryResult | null;
}

/** A number that may not fit a double is asked for as text. */
export const ENTRY_COLUMNS = `
  uevent.*, CAST(uevent.seqnum AS TEXT) AS seqnum, decision.id AS decision_id, decision.at_ms AS decided_ms,
  ending.id AS ending_id, ending.at_ms AS ended_ms, ending.result`;
export const ENTRY_TABLES = `
  uevent LEFT JOIN decision ON decision.entry = uevent.id LEFT JOIN ending ON ending.entry = uevent.id`;

type Cell = number | string | null;
type Cells = Readonly<Record<string, Cell>>;

/** What was decided, when anything was, and what was done. */
interface Decided {
  readonly deliberation?: Deliberation;
  readonly outcomes: readonly Outcome[];
}

/** Rows → the very values the writer was given. */
export class EntryReader {
  readonly #texts: TextReader;
  readonly #rows;

  constructor(db: Connection) {
    const children = (table: string, key: string): ((parent: number) => Cells[]) => {
      const statement = db.prepare<[number], Cells>(`SELECT * FROM ${table} WHERE ${key} = ?`);
      return parent => statement.all(parent);
    };
    this.#texts = new TextReader(db);
    this.#rows = {
      decision: children('decision', 'id'),
      candidate: children('candidate', 'decision'),
      judgement: children('judgement', 'decision'),
      opinion: children('opinion', 'decision'),
      plan: children('plan', 'decision'),
      step: children('plan_step', 'decision'),
      outcome: children('outcome', 'ending'),
      bind: children('bind', 'entry'),
    };
  }

  /** `liveRun` is the run whose daemon is there now, to tell an open entry from an interrupted one. */
  read(row: EntryRow, liveRun: number | undefined): HistoryEntry {
    const { decision_id: decisionId, ending_id: endingId } = row;
    const open = row.run === liveRun ? 'open' : 'interrupted';
    return {
      id: row.id as EntryId,
      runId: row.run,
      event: this.#event(row),
      state: decisionId === null ? 'recorded' : endingId === null ? open : 'ended',
      ...(decisionId !== null && { decidedAtMs: row.decided_ms ?? 0, deliberation: this.#deliberation(decisionId) }),
      ...(row.ended_ms !== null && { endedAtMs: row.ended_ms }),
      ...(row.result !== null && { result: row.result }),
      outcomes: endingId === null ? [] : this.#rows.outcome(endingId).map(cells => this.#outcome(cells)),
      binds: this.#rows.bind(row.id).map(({ devpath, driver, at_ms: atMs }) => ({
        devpath: this.#string(devpath) as Devpath,
        driver: this.#string(driver),
        atMs: Number(atMs),
      })),
    };
  }

  /** What was decided and done, by the numbers of its rows. */
  readDecided(decisionId: number | null, endingId: number | null): Decided {
    return {
      ...(decisionId === null ? {} : { deliberation: this.#deliberation(decisionId) }),
      outcomes: endingId === null ? [] : this.#rows.outcome(endingId).map(cells => this.#outcome(cells)),
    };
  }

  #event(row: EntryRow): Uevent {
    const seqnum = row.seqnum === null ? undefined : (BigInt.asUintN(64, BigInt(row.seqnum)) as Seqnum);
    const synthUuid = this.#optional(row.synth_uuid);
    const facts = {
      action: this.#string(row.action) as Action,
      devpath: this.#string(row.devpath) as Devpath,
      subsystem: this.#string(row.subsystem),
      ...(seqnum !== undefined && { seqnum }),
      ...(synthUuid !== undefined && { synthUuid }),
    };
    const columns = { ...facts, modalias: this.#optional(row.modalias), driver: this.#optional(row.driver) };
    const values = typeof row.env_values === 'number' ? this.#string(row.env_values) : row.env_values;
    const kind = this.#string(row.origin) as Origin['kind'];
    return {
      ...facts,
      env: unpackEnv({ names: this.#string(row.env_keys), values }, columns),
      origin: kind === 'injected' || kind === 'udev' ? { kind, pid: row.origin_pid ?? 0 } : { kind },
      receivedAtMs: row.at_ms,
    };
  }

  #deliberation(id: number): Deliberation {
    const device = this.#rows.decision(id)[0] ?? {};
    const opinions = this.#rows.opinion(id);
    const steps = this.#rows.step(id);
    return {
      device: {
        devpath: this.#string(device['devpath']) as Devpath,
        subsystem: this.#string(device['subsystem']),
        ...this.#present('modalias', device['modalias']),
        ...this.#present('driver', device['driver']),
        ...this.#present('devtype', device['devtype']),
        ...this.#present('devname', device['devname']),
      },
      candidates: this.#rows.candidate(id).map(cells => this.#candidate(cells)),
      decisions: this.#rows.judgement(id).map(({ pos, module, verdict, winner }) => {
        const heard = opinions.filter(opinion => opinion['judgement'] === pos);
        const won = heard.find(opinion => opinion['pos'] === winner);
        return {
          module: this.#string(module) as ModuleName,
          verdict: verdict as VerdictKind,
          ...(won && { winner: this.#opinion(won) }),
          opinions: heard.filter(opinion => opinion['pos'] !== WINNER_APART).map(opinion => this.#opinion(opinion)),
        };
      }),
      plans: this.#rows.plan(id).map(({ pos, target }): LoadPlan => ({
        target: this.#string(target) as ModuleName,
        steps: steps.filter(step => step['plan'] === pos).map(step => this.#step(step)),
      })),
    };
  }

  #candidate(cells: Cells): Candidate {
    return {
      module: this.#string(cells['module']) as ModuleName,
      match: {
        module: this.#string(cells['match_module']) as ModuleName,
        source: this.#string(cells['source']) as Candidate['match']['source'],
        pattern: this.#string(cells['pattern']),
        place: this.#placeOf(cells['place']),
      },
    };
  }

  #opinion(cells: Cells): Opinion {
    const { place, replacement } = cells;
    return {
      verdict: cells['verdict'] as VerdictKind,
      module: this.#string(cells['module']) as ModuleName,
      by: this.#string(cells['by']),
      reason: this.#string(cells['reason']),
      ...(typeof place === 'number' && { place: this.#placeOf(place) }),
      ...(typeof replacement === 'number' && { replacement: this.#string(replacement) as ModuleName }),
    };
  }

  #step(cells: Cells): Step {
    const kind = cells['kind'] as Step['kind'];
    const neededBy = this.#optional(cells['needed_by']) as ModuleName | undefined;
    const facts = {
      module: this.#string(cells['module']) as ModuleName,
      role: cells['role'] as Role,
      ...(neededBy !== undefined && { neededBy }),
      required: cells['required'] === 1,
    };
    const text = this.#optional(cells['text']) ?? '';
    switch (kind) {
      case 'insert': {
        const places = String(cells['option_places'] ?? '').split(' ');
        const optionPlaces = places.filter(id => id !== '').map(id => this.#placeOf(Number(id)));
        return { ...facts, kind, path: this.#string(cells['path']), parameters: text, optionPlaces };
      }
      case 'run-install':
        return {
          ...facts,
          kind,
          command: this.#string(cells['command']),
          parameters: text,
          place: this.#placeOf(cells['place']),
        };
      case 'missing':
        return { ...facts, kind, name: text };
      default:
        return { ...facts, kind };
    }
  }

  #outcome(cells: Cells): Outcome {
    const kind = cells['kind'] as Outcome['kind'];
    const module = this.#string(cells['module']) as ModuleName;
    const text = this.#optional(cells['text']) ?? '';
    const tookMs = Number(cells['took_ms'] ?? 0);
    switch (kind) {
      case 'inserted':
        return { kind, module, tookMs };
      case 'ran':
        return { kind, module, command: text, tookMs };
      case 'refused':
        return { kind, module, errno: String(cells['errno']) as ErrnoName, meaning: text, tookMs };
      case 'failed':
        return { kind, module, reason: text, tookMs };
      case 'skipped':
        return { kind, module, reason: text };
      default:
        return { kind, module };
    }
  }

  #placeOf(id: Cell | undefined): Place {
    return this.#texts.place(Number(id));
  }

  #present(key: string, id: Cell | undefined): Record<string, string> {
    const text = this.#optional(id);
    return text === undefined ? {} : { [key]: text };
  }

  #optional(id: Cell | undefined): string | undefined {
    return typeof id === 'number' ? this.#string(id) : undefined;
  }

  #string(id: Cell | undefined): string {
    return typeof id === 'number' ? this.#texts.text(id) : '';
  }
}
