/** An unfinished event, as the order sees it. */
export interface Claim {
  /** Which events wait for this one. */
  readonly dependents: Claim[];
  /** How many unfinished events this one waits for. */
  blockers: number;
  /** The last event that was found to wait for this one: spares counting the same pair twice. */
  lastDependent: Claim | undefined;
  /** Where it is entered, to be taken out when it is done. */
  readonly places: Place[];
}

/** One devpath with unfinished events on it or below it. */
interface Place {
  readonly path: string;
  /** The last unfinished event on this very path. It waits for all earlier ones here and below, so it stands for them. */
  on: Claim | undefined;
  /** Unfinished events below this path since `on` came. */
  readonly below: Set<Claim>;
}

/**
 * Which unfinished events stand in the way of a new one: those on the same devpath, an ancestor or a descendant, or with the same name.
 * An event is entered once at each ancestor, and handed out once from each, so that one event costs its depth, however many there are.
 */
export class PathClaims {
  readonly #places = new Map<string, Place>();
  readonly #names = new Map<string, Claim>();

  get size(): number {
    return this.#places.size;
  }

  /** Makes `claim` wait for all that stand in its way on `paths` (DEVPATH, DEVPATH_OLD) and `name` (DEVNAME), and enters it. */
  enter(claim: Claim, paths: readonly string[], name: string | undefined): void {
    // First look, then enter: an event does not stand in its own way when it moves from one path to one below it.
    for (const path of paths) this.#waitOn(claim, path);
    if (name !== undefined) {
      waitFor(claim, this.#names.get(name));
      this.#names.set(name, claim);
    }
    for (const path of paths) this.#enterOn(claim, path);
  }

  /** Takes a finished event out again. */
  leave(claim: Claim, name: string | undefined): void {
    for (const place of claim.places) {
      if (place.on === claim) place.on = undefined;
      place.below.delete(claim);
      if (place.on === undefined && place.below.size === 0) this.#places.delete(place.path);
    }
    if (name !== undefined && this.#names.get(name) === claim) this.#names.delete(name);
  }

  #waitOn(claim: Claim, path: string): void {
    for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      waitFor(claim, this.#places.get(path.slice(0, slash))?.on);
    }
    const place = this.#places.get(path);
    if (place === undefined) return;
    waitFor(claim, place.on);
    for (const below of place.below) waitFor(claim, below);
  }

  #enterOn(claim: Claim, path: string): void {
    for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const place = this.#placeOf(path.slice(0, slash));
      place.below.add(claim);
      claim.places.push(place);
    }
    const place = this.#placeOf(path);
    place.on = claim;
    // All of them are waited for, so whoever waits for this event need not look at them again.
    place.below.clear();
    claim.places.push(place);
  }

  #placeOf(path: string): Place {
    let place = this.#places.get(path);
    if (place === undefined) {
      place = { path, on: undefined, below: new Set() };
      this.#places.set(path, place);
    }
    return place;
  }
}

function waitFor(claim: Claim, earlier: Claim | undefined): void {
  if (earlier === undefined || earlier.lastDependent === claim) return;
  earlier.lastDependent = claim;
  earlier.dependents.push(claim);
  claim.blockers += 1;
}
