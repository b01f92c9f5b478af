import type { Figure } from './figure.ts';
import { timeCommands } from './time-commands.ts';

/** A Node that does nothing. */
export const BARE_NODE = [process.execPath, '-e', '0'] as const;

/** What it took on the machine that bounds in ms were set on, 2026-11-24, in ms. */
const BARE_NODE_MS = 18;

/** The same on this machine: the middle one of so many starts. */
export function bareNodeMs(rounds: number): number {
  return timeCommands([BARE_NODE], rounds)[0]?.ms ?? Number.NaN;
}

/** A time that has a bound in ms but no peer: beside a bare Node's of the same run, as the bound was beside a bare Node's where it was set. */
export function besideBareNode(bench: string, what: string, ours: number, nodeMs: number, boundMs: number): Figure {
  return {
    bench,
    what,
    ours,
    peer: nodeMs,
    unit: 'ms',
    ratio: ours / nodeMs,
    target: `<= ${(boundMs / BARE_NODE_MS).toFixed(2)}`,
    isMoreBetter: false,
  };
}
