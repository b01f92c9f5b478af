import type { Output } from '../pipeline/8-report/terminal.ts';
import type { SystemRoot } from '../kernel/system-root.ts';

/** What a word on the command line stands for; shell completion offers values by it. */
export type ValueKind = 'module' | 'device' | 'file' | 'directory' | 'subsystem' | 'text';

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly isRequired?: boolean;
  readonly isVariadic?: boolean;
  readonly completes?: ValueKind;
}

export interface OptionSpec {
  /** As commander and the manual have it: `-n, --limit <count>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly completes?: ValueKind;
  /** May be given several times; the values are collected. */
  readonly isRepeatable?: boolean;
}

/** Who calls and where: all a verb knows of the process it runs in. */
export interface Caller {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly roots: SystemRoot;
  /** Named with --kernel; by default the running kernel's release. */
  readonly release: string | undefined;
  readonly isJson: boolean;
  /** All verbs there are, for what is made from them. */
  readonly verbs: readonly Verb[];
  /** Aborted by Ctrl-C or SIGTERM: verbs that follow something end cleanly. */
  readonly signal: AbortSignal;
}

export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/**
 * One verb of the command line. Parsing, --help, the manual and completion are all made from this value, so they cannot differ.
 * `run` answers with the exit status and throws UsherdError when it cannot go on.
 */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for the manual and --help. */
  readonly description: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Statuses beside 0 and those of the error table. */
  readonly exitStatuses?: Readonly<Record<number, string>>;
  run(args: readonly string[], options: OptionValues, caller: Caller): Promise<number>;
  /** In place of `run`: takes the words behind the verb as they are, and parses them by itself. The tools of kmod do. */
  readonly runWords?: (words: readonly string[], caller: WordsCaller) => Promise<number>;
}

/** What a verb that parses by itself knows of its caller. */
export type WordsCaller = Pick<Caller, 'stdout' | 'stderr' | 'env' | 'uid'>;
