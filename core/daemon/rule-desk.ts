import path from 'node:path';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleTree } from '../kmod/module-tree.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import { applyRules } from '../pipeline/4-policy/rules/apply-rules.ts';
import type { RuleDevice, StoredDevice } from '../pipeline/4-policy/rules/rule-context.ts';
import { loadRuleSet } from '../pipeline/4-policy/rules/rule-files.ts';
import type { RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { RuleResult } from '../pipeline/4-policy/rules/rule-result.ts';
import { EMPTY_RULE_SET, type RuleSet } from '../pipeline/4-policy/rules/rule-set.ts';
import { staticNodes } from '../pipeline/4-policy/rules/static-nodes.ts';
import { ruleChanges } from '../pipeline/4-policy/rules/rule-changes.ts';
import { subjectOfEvent, withStored } from '../pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../pipeline/4-policy/rules/system-context.ts';
import { runPrograms, writeAttributes, type RuleFailure } from '../pipeline/6-load/carry-out-rules.ts';
import { overrideDriver } from '../pipeline/6-load/driver-override.ts';
import { nameInterface } from '../pipeline/6-load/rename-interface.ts';
import { NodeKeeper } from '../pipeline/6-load/node-keeper.ts';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import type { AfterRules, DeviceRules } from '../pipeline/pipeline.ts';
import { formatPlace, formatProblem, type Place } from '../vocabulary/place.ts';
import { whenThere } from '../vocabulary/when-there.ts';
import { ownRuleDirs, ruleDirs } from './rule-dirs.ts';
import { rulePolicy, runRuleProgram } from './rules-in-force.ts';
import { treeTraits } from './tree-traits.ts';
import type { Settings } from './settings.ts';

/** Hits are told so often while rules match; between, a count in memory costs nothing. */
const HITS_EVERY_MS = 10 * 60_000;
/** Problems and changes named in one row of the ledger; the text of the files says the rest. */
const NAMED_MAX = 64;

export interface RuleDeskParts {
  readonly roots: SystemRoot;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly tree: () => ModuleTree;
  /** It only looks: nothing of what rules say is done. */
  readonly observes: boolean;
  /** RUN{builtin}="kmod load NAME": a wish for a module, which goes the way of all wishes. */
  readonly load: (name: string) => Promise<void>;
}

type RuleSettings = Pick<Settings, 'rulesDirs' | 'manageDev'>;

/** Keeps the rules while the daemon runs: which count, what they say of each event, what is done about it, and how often they matched. */
export class RuleDesk implements DeviceRules {
  readonly policy: RulePolicy;
  readonly #parts: RuleDeskParts;
  readonly #context: SystemContext;
  readonly #nodes: NodeKeeper;
  /** What rules said of the devices that are there; stands for udev's database where usherd keeps /dev. */
  readonly #stored = new Map<string, StoredDevice>();
  #set: RuleSet = EMPTY_RULE_SET;
  #settings: RuleSettings = { rulesDirs: [], manageDev: false };
  #ownDirs: readonly string[];
  #lookAtDevices = false;
  #hitsSinceMs = Date.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RuleDeskParts) {
    this.#parts = parts;
    this.#ownDirs = ownRuleDirs(parts.roots);
    this.#context = new SystemContext(parts.roots, device => this.#storedOf(device));
    this.#nodes = new NodeKeeper(parts.roots);
    this.policy = rulePolicy(parts.roots, treeTraits(parts.tree), () => this.#set, this.#context);
  }

  /** The rules that count now. */
  get ruleSet(): RuleSet {
    return this.#set;
  }

  /** Folders whose change makes the rules stale. */
  get watched(): readonly string[] {
    return ruleDirs(this.#parts.roots, this.#settings);
  }

  /**
   * Reads the rules. A set with an error in it never takes the place of one that counts: the error may be in the very rule that
   * denies. At start there is none to keep, and what can be read counts.
   */
  configure(settings: RuleSettings): void {
    const { ledger, reporter, roots } = this.#parts;
    const dirs = ruleDirs(roots, settings);
    const set = loadRuleSet(dirs);
    const before = this.#set;
    this.#settings = settings;
    const problems = set.problems.filter(({ severity }) => severity !== 'style');
    for (const problem of problems) reporter.emit('notice', 'warning', formatProblem(problem));
    if (before !== EMPTY_RULE_SET && set.hash === before.hash) {
      this.#lookAtDevices = this.#speaksOfDevices();
      return;
    }
    const named = problems.slice(0, NAMED_MAX).map(problem => formatProblem(problem));
    if (before !== EMPTY_RULE_SET && problems.some(({ severity }) => severity === 'error')) {
      ledger.incident({ kind: 'rules-refused', hash: set.hash, problems: named });
      reporter.emit('notice', 'error', 'the rules have errors; those from before count on');
      return;
    }
    this.flushHits();
    this.#set = set;
    this.#lookAtDevices = this.#speaksOfDevices();
    if (set.isEmpty && before.isEmpty && problems.length === 0) return;
    const last = ledger.lastIncident('rules-loaded');
    // At a start nothing changed when these are the rules that were last recorded.
    const isKnown = before === EMPTY_RULE_SET && last?.hash === set.hash;
    ledger.incident({
      kind: 'rules-loaded',
      hash: set.hash,
      ...(last === undefined ? {} : { before: last.hash }),
      files: set.files.length,
      rules: set.rules.length,
      changes: isKnown ? [] : ruleChanges(before, set).slice(0, NAMED_MAX),
    });
    for (const problem of problems.slice(0, NAMED_MAX)) ledger.incident({ kind: 'config-problem', problem });
    if (!settings.manageDev || this.#parts.observes) return;
    const nodes = staticNodes(set, this.#context);
    for (const message of this.#nodes.applyStatic(nodes)) this.#failed('', { place: { file: roots.dev }, message });
  }

  stop(): void {
    this.flushHits();
    this.#nodes.close();
  }

  /** Goes through the rules for one event and does what they say, but for programs, which are left for afterwards. */
  apply(event: Uevent): Promise<AfterRules | undefined> | AfterRules | undefined {
    if (!this.#lookAtDevices || this.#isIdleFor(event)) return undefined;
    const { roots } = this.#parts;
    const plain = subjectOfEvent(event, roots);
    const subject = event.action === 'remove' ? withStored(plain, plain.device && this.#storedOf(plain.device)) : plain;
    this.#timer ??= setTimeout(() => this.flushHits(), HITS_EVERY_MS).unref();
    const result = applyRules(this.#set, subject, this.#context, { runProgram: runRuleProgram, counts: true });
    return whenThere(result, said => this.#carryOut(event, said));
  }

  /** Most events: no rule is about such a device, and nothing is kept of it. */
  #isIdleFor(event: Uevent): boolean {
    return !this.#settings.manageDev && this.#set.isIdleFor(event, { isOfModule: false });
  }

  /** Writes how often each rule matched since the last time, if any did. */
  flushHits(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const hits: Record<string, number> = {};
    for (const [index, count] of this.#set.hits.entries()) {
      const rule = this.#set.rules[index];
      if (count > 0 && rule !== undefined) hits[formatPlace(lineOf(rule.source.place))] = count;
    }
    this.#set.hits.fill(0);
    if (Object.keys(hits).length > 0)
      this.#parts.ledger.incident({ kind: 'rule-hits', sinceMs: this.#hitsSinceMs, hits });
    this.#hitsSinceMs = Date.now();
  }

  #carryOut(event: Uevent, result: RuleResult): Promise<AfterRules | undefined> | AfterRules | undefined {
    this.#store(event.devpath, event.action, result);
    if (this.#parts.observes) return undefined;
    const { attributes, sysctls, driverOverride } = result;
    if (attributes.length === 0 && sysctls.length === 0 && driverOverride === undefined)
      return this.#keepNode(event, result);
    return this.#write(event, result).then(() => this.#keepNode(event, result));
  }

  async #write({ devpath, action }: Uevent, { attributes, sysctls, driverOverride }: RuleResult): Promise<void> {
    for (const failure of await writeAttributes(this.#inForce(attributes), this.#inForce(sysctls), this.#parts.roots))
      this.#failed(devpath, failure);
    if (driverOverride !== undefined && action !== 'remove') await this.#override(devpath, driverOverride);
  }

  #keepNode(event: Uevent, result: RuleResult): AfterRules | undefined {
    const { devpath, action, subsystem } = event;
    if (this.#settings.manageDev) {
      const place: Place = { file: this.#parts.roots.dev };
      const messages = [...this.#nodes.apply(event, result)];
      const [from, to] = [result.properties.get('INTERFACE'), result.name];
      if (action === 'add' && subsystem === 'net' && from !== undefined && to !== undefined)
        messages.push(...[nameInterface(from, to)].filter(message => message !== undefined));
      for (const message of messages) this.#failed(devpath, { place, message });
    }
    const run = this.#inForce(result.run);
    return run.length === 0 ? undefined : () => this.#run(devpath, { ...result, run });
  }

  /** What is done of what rules say: where udevd does its part, only what usherd's own rules say. */
  #inForce<Item extends { readonly place: Place }>(items: readonly Item[]): readonly Item[] {
    return this.#settings.manageDev ? items : items.filter(({ place }) => this.#isOwn(place));
  }

  async #override(devpath: string, { driver, place }: NonNullable<RuleResult['driverOverride']>): Promise<void> {
    const errno = await overrideDriver(this.#parts.roots, devpath, driver);
    this.#parts.ledger.incident({
      kind: 'driver-override',
      devpath,
      driver,
      place: formatPlace(lineOf(place)),
      ...(errno === undefined ? {} : { errno }),
    });
  }

  async #run(devpath: string, { run, properties }: Pick<RuleResult, 'run' | 'properties'>): Promise<void> {
    for (const entry of run) {
      const [builtin, verb, ...names] = entry.kind === 'builtin' ? entry.command.split(/\s+/) : [];
      // A bare `kmod load` is what usherd does for every device anyway.
      if (builtin === 'kmod' && verb === 'load') for (const name of names) await this.#parts.load(name);
    }
    for (const failure of await runPrograms(run, properties)) this.#failed(devpath, failure);
  }

  #failed(devpath: string, { place, message }: RuleFailure): void {
    this.#parts.ledger.incident({ kind: 'rule-failed', devpath, place: formatPlace(lineOf(place)), message });
  }

  #store(devpath: string, action: string, { properties, tags, links }: RuleResult): void {
    if (!this.#settings.manageDev) return;
    const old = this.#stored.get(devpath);
    if (action === 'remove') this.#stored.delete(devpath);
    else
      this.#stored.set(devpath, {
        properties: own(properties),
        tags: [...new Set([...(old?.tags ?? []), ...tags])],
        links,
      });
  }

  #storedOf(device: RuleDevice): StoredDevice | undefined {
    return this.#settings.manageDev ? this.#stored.get(device.devpath) : this.#context.udevsOf(device);
  }

  /** Whether events have to be gone through: where usherd keeps /dev, or one of its own rules is about more than modules. */
  #speaksOfDevices(): boolean {
    if (this.#settings.manageDev) return !this.#set.isEmpty;
    return this.#set.rules.some(
      ({ source, saysOfModule }) =>
        this.#isOwn(source.place) && (!saysOfModule || source.tokens.some(({ key }) => key === 'DRIVER_OVERRIDE')),
    );
  }

  #isOwn({ file }: Place): boolean {
    return this.#ownDirs.includes(path.dirname(file));
  }
}

/** Properties that are kept: those with a dot at their beginning stay inside the event. */
function own(properties: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...properties].filter(([key]) => !key.startsWith('.')));
}

function lineOf({ file, line }: Place): Place {
  return line === undefined ? { file } : { file, line };
}
