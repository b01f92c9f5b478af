import { readProcModules } from '../kernel/proc-modules.ts';
import { decodeTaint, readTaint } from '../kernel/taint.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { ModuleLoader } from '../pipeline/6-load/module-loader.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import { moduleName, moduleNameOfPath, type ModuleName } from '../vocabulary/module-name.ts';

/** The uevent of a module of ours comes within milliseconds of its insertion, through udevd within some seconds in a storm. */
const OURS_FOR_MS = 30_000;
/** The taint is looked at so long after a module came: whatever else comes of it, above all the next driver, goes first. */
const TAINT_AFTER_MS = 100;
/** More modules than are ever inserted in that time; the oldest is forgotten first. */
const OURS_MAX_MODULES = 1024;

/**
 * Notices what others do to the running kernel's modules, from the uevents of the subsystem `module`, and what the taint becomes.
 * Source: kernel/module/sysfs.c, mod_sysfs_setup (KOBJ_ADD when a module begins to live) and free_module (KOBJ_REMOVE).
 */
export class ModuleWatch {
  readonly #procRoot: string;
  readonly #record: (incident: Incident) => void;
  readonly #now: () => number;
  readonly #later: (look: () => void) => void;
  /** Modules of ours, and until when an event of theirs is ours. */
  readonly #ours = new Map<ModuleName, number>();
  #commandsInFlight = 0;
  #taint: bigint | undefined;
  /** The module that was loaded or removed when the taint was last to be looked at, which has not been done. */
  #meanwhile: ModuleName | undefined;

  constructor(
    procRoot: string,
    record: (incident: Incident) => void,
    now: () => number = Date.now,
    later: (look: () => void) => void = look => void setTimeout(look, TAINT_AFTER_MS).unref(),
  ) {
    this.#procRoot = procRoot;
    this.#record = record;
    this.#now = now;
    this.#later = later;
    this.#taint = readTaint(procRoot);
  }

  /** A loader whose insertions are known to be ours. An install command may load anything: while one runs, all is. */
  watched(loader: ModuleLoader): ModuleLoader {
    return {
      canInsert: loader.canInsert,
      insert: (path, parameters) =>
        loader.canInsert
          ? this.#ownInsertion(path, () => loader.insert(path, parameters))
          : loader.insert(path, parameters),
      insertTogether: (files, restsOn) => {
        for (const { path } of files) this.#expect(moduleNameOfPath(path));
        return loader
          .insertTogether(files, restsOn)
          .map((answer, n) => this.#ownInsertion(files[n]?.path ?? '', () => answer));
      },
      runCommand: async (command, module) => {
        this.#commandsInFlight += 1;
        try {
          return await loader.runCommand(command, module);
        } finally {
          this.#commandsInFlight -= 1;
          this.#taintMayChange(module);
        }
      },
      stateOf: module => loader.stateOf(module),
      restrictions: () => loader.restrictions(),
    };
  }

  /** An event has come. What somebody had the kernel repeat (SYNTH_UUID), or was found in /sys, is no load. */
  event({ subsystem, action, devpath, origin, synthUuid }: Uevent): void {
    if (subsystem !== 'module' || synthUuid !== undefined) return;
    if (origin.kind !== 'kernel' && origin.kind !== 'udev') return;
    const name = /^\/module\/([^/]+)$/.exec(devpath)?.[1];
    if (name === undefined) return;
    const module = moduleName(name);
    if (action === 'remove') this.#record({ kind: 'module-unloaded', module });
    if (action === 'add' && !this.#isOurs(module)) this.#record({ kind: 'module-loaded', module });
    this.#taintMayChange(module);
  }

  #taintMayChange(meanwhile: ModuleName): void {
    const isLookedAt = this.#meanwhile !== undefined;
    this.#meanwhile = meanwhile;
    if (!isLookedAt) this.#later(() => this.checkTaint());
  }

  /**
   * Says when the taint is another than before, and by the kernel's word which loaded modules carry what is new; where none does (it failed
   * to load, or is gone) the one is named that was loaded or removed at that time.
   */
  checkTaint(): void {
    const meanwhile = this.#meanwhile;
    if (meanwhile === undefined) return;
    this.#meanwhile = undefined;
    const taint = readTaint(this.#procRoot);
    if (taint === undefined || taint === this.#taint) return;
    const before = this.#taint ?? 0n;
    this.#taint = taint;
    const added = decodeTaint(taint & ~before).map(({ letter }) => letter);
    const letters = added.join('');
    const carriers = (readProcModules(this.#procRoot) ?? []).filter(each => added.some(l => each.taint.includes(l)));
    const module = carriers.map(({ name }) => name).join(', ') || meanwhile;
    this.#record({ kind: 'taint-changed', before: before.toString(), after: taint.toString(), letters, module });
  }

  async #ownInsertion<Answer>(path: string, insert: () => Promise<Answer>): Promise<Answer> {
    const module = moduleNameOfPath(path);
    this.#expect(module);
    try {
      return await insert();
    } finally {
      this.#expect(module);
      this.#taintMayChange(module);
    }
  }

  #expect(module: ModuleName): void {
    this.#ours.delete(module);
    this.#ours.set(module, this.#now() + OURS_FOR_MS);
    const oldest = this.#ours.keys().next();
    if (this.#ours.size > OURS_MAX_MODULES && oldest.done !== true) this.#ours.delete(oldest.value);
  }

  #isOurs(module: ModuleName): boolean {
    const until = this.#ours.get(module);
    return this.#commandsInFlight > 0 || (until !== undefined && until >= this.#now());
  }
}
