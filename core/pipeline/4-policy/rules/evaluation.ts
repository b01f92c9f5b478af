import type { Place } from '../../../vocabulary/place.ts';
import { FIXED_PROPERTIES } from './language.ts';
import type { RuleContext, RuleDevice, RuleSubject, StoredDevice } from './rule-context.ts';
import type { AttributeWrite, RuleNote, RuleVerdict, RunEntry } from './rule-result.ts';

const NO_DEVICE: RuleDevice = {
  devpath: '',
  sysname: '',
  folder: '',
  subsystem: undefined,
  driver: undefined,
  uevent: {},
  parent: undefined,
  attribute: () => undefined,
  bytes: () => undefined,
  list: () => [],
};

/** A value with the mark that it can no longer be changed (`:=`). */
export interface Final<Value> {
  value: Value | undefined;
  isFinal: boolean;
}

/** What is known and decided while rules are gone through for one subject. Rules change this and nothing else. */
export class Evaluation {
  readonly subject: RuleSubject;
  readonly context: RuleContext;
  readonly device: RuleDevice;
  readonly hasDevice: boolean;
  /** A node can have links; an interface can have a name. */
  readonly hasNode: boolean;
  readonly isInterface: boolean;
  readonly properties: Map<string, string>;
  readonly tags = new Set<string>();
  readonly links = new Set<string>();
  linksAreFinal = false;
  linkPriority = 0;
  readonly name: Final<string> = { value: undefined, isFinal: false };
  readonly owner: Final<number> = { value: undefined, isFinal: false };
  readonly group: Final<number> = { value: undefined, isFinal: false };
  readonly mode: Final<number> = { value: undefined, isFinal: false };
  readonly watch: Final<boolean> = { value: undefined, isFinal: false };
  readonly verdict: Final<RuleVerdict> = { value: undefined, isFinal: false };
  readonly seclabels = new Map<string, string>();
  readonly attributes: AttributeWrite[] = [];
  readonly sysctls: AttributeWrite[] = [];
  readonly run: RunEntry[] = [];
  runIsFinal = false;
  dbPersist = false;
  logLevel: string | undefined;
  readonly parameters: { text: string; place: Place }[] = [];
  driverOverride: { driver: string; place: Place } | undefined;
  readonly notes: RuleNote[] = [];
  /** The device a climbing key chose last. */
  chosen: RuleDevice | undefined;
  /** What PROGRAM printed last. */
  programResult: string | undefined;
  /** `string_escape` of the rule that is being gone through. */
  escape: 'unset' | 'none' | 'replace' = 'unset';
  readonly #stored = new Map<RuleDevice, StoredDevice | undefined>();
  readonly #others = new Map<string, RuleDevice | undefined>();
  /** Builtins that ran already, and whether it went well: they run once an event. */
  readonly ran = new Map<string, boolean>();

  constructor(subject: RuleSubject, context: RuleContext) {
    this.subject = subject;
    this.context = context;
    this.hasDevice = subject.device !== undefined;
    this.device = subject.device ?? NO_DEVICE;
    this.properties = new Map(subject.properties);
    this.hasNode = this.properties.has('MAJOR');
    this.isInterface = this.properties.has('IFINDEX');
  }

  /** Sets a property, or takes it away; what the kernel says stays, also when a program or file says otherwise. */
  setProperty(key: string, value: string | undefined): void {
    if (FIXED_PROPERTIES.has(key)) return;
    if (value === undefined) this.properties.delete(key);
    else this.properties.set(key, value);
  }

  /** What an earlier event left of a device; asked for once, however many rules climb past it. */
  stored(device: RuleDevice): StoredDevice | undefined {
    if (!this.#stored.has(device)) this.#stored.set(device, this.context.stored(device));
    return this.#stored.get(device);
  }

  /** `[subsystem/name]` → that device, the same each time, so that it keeps what was read of it. */
  otherDevice(subsystem: string, sysname: string): RuleDevice | undefined {
    const key = `${subsystem}/${sysname}`;
    if (!this.#others.has(key)) this.#others.set(key, this.context.device(subsystem, sysname));
    return this.#others.get(key);
  }

  note(place: Place, message: string): void {
    this.notes.push({ place, message });
  }
}
