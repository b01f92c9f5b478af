/** One line of the benchmark: ours beside the peer's, measured in the same run. */
export interface Figure {
  readonly bench: string;
  readonly what: string;
  readonly ours: number;
  /** Absent where there is no peer, only a bound. */
  readonly peer?: number;
  readonly unit: string;
  /** Ours divided by the peer's. */
  readonly ratio?: number;
  /** Of the ratio where there is one, else of ours; empty for a figure that is only told. */
  readonly target: string;
  readonly isMoreBetter: boolean;
}
