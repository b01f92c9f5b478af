/** A link below /dev and the node it is to lead to from now on, or undefined when nobody wants it any more. */
export interface LinkChange {
  readonly link: string;
  readonly node: string | undefined;
  /** What it led to before, if it was ours. */
  readonly before: string | undefined;
}

interface Claim {
  readonly device: string;
  readonly node: string;
  readonly priority: number;
}

/**
 * Who wants which link. The device with the highest priority has it; of two with the same the one that has it keeps it. When a device
 * lets go of a link, the next has it. Pure: what it answers is carried out elsewhere.
 * Source: udev(7), SYMLINK and link_priority.
 */
export class LinkClaims {
  readonly #claims = new Map<string, Claim[]>();
  readonly #linksOf = new Map<string, ReadonlySet<string>>();

  /** A device wants exactly these links from now on → the links that lead elsewhere than before. */
  claim(device: string, node: string, links: readonly string[], priority: number): readonly LinkChange[] {
    const wanted = new Set(links);
    const before = this.#linksOf.get(device) ?? new Set<string>();
    const changes = [...before].filter(link => !wanted.has(link)).map(link => this.#change(link, device, undefined));
    if (wanted.size === 0) this.#linksOf.delete(device);
    else this.#linksOf.set(device, wanted);
    for (const link of wanted) changes.push(this.#change(link, device, { device, node, priority }));
    return changes.filter(({ node: now, before: then }) => now !== then);
  }

  /** A device is gone, or wants no links → the links that lead elsewhere, or nowhere. */
  release(device: string): readonly LinkChange[] {
    return this.claim(device, '', [], 0);
  }

  /** Where a link leads now. */
  ownerOf(link: string): string | undefined {
    return winner(this.#claims.get(link) ?? [])?.node;
  }

  #change(link: string, device: string, claim: Claim | undefined): LinkChange {
    const claims = this.#claims.get(link) ?? [];
    const before = winner(claims)?.node;
    const at = claims.findIndex(other => other.device === device);
    if (claim === undefined) claims.splice(at, at < 0 ? 0 : 1);
    else if (at < 0) claims.push(claim);
    else claims[at] = claim;
    if (claims.length === 0) this.#claims.delete(link);
    else this.#claims.set(link, claims);
    return { link, node: winner(claims)?.node, before };
  }
}

/** The first of those with the highest priority: who came first keeps what it has. */
function winner(claims: readonly Claim[]): Claim | undefined {
  let best: Claim | undefined;
  for (const claim of claims) if (best === undefined || claim.priority > best.priority) best = claim;
  return best;
}
