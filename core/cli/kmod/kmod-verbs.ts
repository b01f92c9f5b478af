import { UsherdError } from '../../errors.ts';
import type { OptionSpec, Verb } from '../verb.ts';
import { depmod } from './depmod.ts';
import type { OptionRow } from './getopt.ts';
import { insmod } from './insmod.ts';
import { kmod } from './kmod.ts';
import { lsmod } from './lsmod.ts';
import { modinfo } from './modinfo.ts';
import { modprobe } from './modprobe.ts';
import { rmmod } from './rmmod.ts';
import { runTool } from './run-tool.ts';
import type { KmodTool } from './tool.ts';

/** kmod's tools in the order --help lists them. */
export const KMOD_TOOLS: readonly KmodTool[] = [lsmod, modinfo, modprobe, insmod, rmmod, depmod, kmod];

/** The same as verbs, so that they are listed, documented and completed with the others. Each parses its words by itself. */
export const KMOD_VERBS: readonly Verb[] = KMOD_TOOLS.map(verbOf);

function verbOf(tool: KmodTool): Verb {
  const { name, summary, description, groups, operand } = tool;
  return {
    name,
    summary,
    description: [...description, `It takes words as ${name}(8) of kmod does, and is run by that name through a link.`],
    arguments:
      operand === undefined
        ? []
        : [{ name: operand, description: `a ${operand}`, isVariadic: true, completes: operand }],
    options: groups.flatMap(({ rows }) =>
      rows.filter(({ name: row, isHidden }) => row !== 'help' && isHidden !== true).flatMap(optionSpecs),
    ),
    examples: [],
    run: () => Promise.reject(new UsherdError('USAGE', `usher ${name} takes its words as they are`)),
    runWords: (words, { stdout, stderr, env, uid }) =>
      runTool(tool, words, {
        out: bytes => void stdout.write(bytes),
        err: text => void stderr.write(text),
        env,
        uid,
      }),
  };
}

/** A row → one option for each of its long names, the letter with the first. */
function optionSpecs({ short, long, value, help }: OptionRow): readonly OptionSpec[] {
  const argument = value === undefined ? '' : ` <${value.toLowerCase()}>`;
  return long.map((name, i) => ({
    flags: `${short !== undefined && i === 0 ? `-${short}, ` : ''}--${name}${argument}`,
    description: help,
    ...(value === 'DIR' ? { completes: 'directory' as const } : value === 'FILE' ? { completes: 'file' as const } : {}),
  }));
}
