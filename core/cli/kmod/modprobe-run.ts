import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import type { ToolRun } from './tool.ts';

/** A run of modprobe with what all its ways of working need. */
export interface ModprobeRun extends ToolRun {
  readonly world: ModuleWorld;
  /** Print each line that is acted on (`-v`), or would be (`-D`). */
  readonly shows: boolean;
  /** A message about a module that cannot be had: the end, unless there are others (`-a`). Not printed with -q. */
  readonly complain: (text: string) => void;
  /** The environment of install and remove commands: what this run was told, a modprobe in them is told, too. */
  readonly commandEnv: Readonly<Record<string, string | undefined>>;
}
