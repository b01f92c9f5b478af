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
  /** The path above. As long as there are events here there are some there: these, or one that waits for them. */
  readonly parent: Place | undefined;
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
    const places = paths.map(path => this.#placeOf(path));
    // First look, then enter: an event does not stand in its own way when it moves from one path to one below it.
    for (const place of places) waitOn(claim, place);
    if (name !== undefined) {
      waitFor(claim, this.#names.get(name));
      this.#names.set(name, claim);
    }
    for (const place of places) enterOn(claim, place);
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

  #placeOf(path: string): Place {
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parent = slash <= 0 ? undefined : this.#placeOf(path.slice(0, slash));
    const place: Place = { path, parent, on: undefined, below: new Set() };
    this.#places.set(path, place);
    return place;
  }
}

function waitOn(claim: Claim, place: Place): void {
  for (let above = place.parent; above !== undefined; above = above.parent) waitFor(claim, above.on);
  waitFor(claim, place.on);
  for (const below of place.below) waitFor(claim, below);
}

function enterOn(claim: Claim, place: Place): void {
  for (let above = place.parent; above !== undefined; above = above.parent) {
    above.below.add(claim);
    claim.places.push(above);
  }
  place.on = claim;
  // All of them are waited for, so whoever waits for this event need not look at them again.
  place.below.clear();
  claim.places.push(place);
}

function waitFor(claim: Claim, earlier: Claim | undefined): void {
  if (earlier === undefined || earlier.lastDependent === claim) return;
  earlier.lastDependent = claim;
  earlier.dependents.push(claim);
  claim.blockers += 1;
}
