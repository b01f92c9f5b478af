import type { GivenOption, OptionRow } from './getopt.ts';
import type { HandActs } from './hand-acts.ts';
import type { ToolHost } from './tool-host.ts';
import type { ToolLog } from './tool-log.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';

/** One run of a tool: what it was asked, and where it writes. */
export interface ToolRun {
  readonly tool: KmodTool;
  readonly host: ToolHost;
  readonly log: ToolLog;
  readonly roots: SystemRoot;
  /** Options in the order they were given. */
  readonly given: readonly GivenOption[];
  readonly operands: readonly string[];
  readonly has: (name: string) => boolean;
  /** The last value given. */
  readonly valueOf: (name: string) => string | undefined;
  readonly valuesOf: (name: string) => readonly string[];
  /** What it does to the kernel's modules, for the record. */
  readonly acts: HandActs;
}

/** A heading of --help and the options below it. */
export interface OptionGroup {
  readonly title: string;
  readonly rows: readonly OptionRow[];
}

/**
 * One of kmod's tools. Parsing, --help, the manual and completion are made from this value. `run` answers with the exit status;
 * it may also end early by ToolExit.
 */
export interface KmodTool {
  readonly name: string;
  /** Section 8 of the manual has it under this line. */
  readonly summary: string;
  /** Lines of --help behind `Usage:`, without the leading tab. */
  readonly usage: readonly string[];
  readonly description: readonly string[];
  /** What --help says below the options. */
  readonly epilogue?: string;
  readonly groups: readonly OptionGroup[];
  /** What an operand is, for completion. */
  readonly operand?: 'module' | 'file';
  /** The first operand ends the options: those behind it are another command's. */
  readonly isStrict?: boolean;
  /** Environment variable whose words stand before those of the command line. */
  readonly wordsFrom?: 'MODPROBE_OPTIONS';
  readonly run: (run: ToolRun) => Promise<number> | number;
}
