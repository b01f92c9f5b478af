/** Where a driver comes from, and whether the system has a signature for it. */
export interface Origin {
  /** `Origin:` of a Release file, a repository's id, or `catalogue NAME`: what settings name. */
  readonly name: string;
  readonly suite: string;
  readonly uri?: string;
  /** Why nothing is taken from it; absent when the system checks its signature. */
  readonly distrust?: string;
}
