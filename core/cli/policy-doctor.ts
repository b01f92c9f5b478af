import path from 'node:path';
import { openWorld } from '../daemon/module-world.ts';
import { readPolicy } from '../daemon/policy-in-force.ts';
import { isLoadable } from '../kernel/driver-modules.ts';
import { exportModprobeD } from '../pipeline/4-policy/export-modprobe-d.ts';
import {
  checkAliases,
  checkMechanisms,
  WAYS,
  type AliasCheck,
  type MechanismSources,
  type ModuleCheck,
  type Way,
} from '../pipeline/4-policy/mechanisms.ts';
import { forbidsInForce } from '../pipeline/4-policy/standing-decisions.ts';
import { formatTable } from '../pipeline/8-report/table.ts';
import { formatPlace, formatProblem } from '../vocabulary/place.ts';
import { printJson, printLines, terminal } from './output.ts';
import { runningRelease } from './call-verb.ts';
import type { Caller } from './verb.ts';

/** More modules than this that bring another in are only counted. */
const SHOWN_MAX_MODULES = 6;

/** usher policy doctor: what each mechanism really stops, module by module → 1 when usherd and a plain modprobe would differ. */
export function examinePolicy(caller: Caller): number {
  const { roots, release } = caller;
  const policy = readPolicy(roots);
  for (const problem of policy.problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  const { tree, config } = openWorld(roots, release ?? runningRelease());
  const sources: MechanismSources = {
    config,
    tree,
    forbids: forbidsInForce(policy.decisions(), policy.moment()),
    isLoaded: module => isLoadable(roots, module),
    commandLineFile: path.join(roots.proc, 'cmdline'),
  };
  const [checks, aliases] = [checkMechanisms(sources), checkAliases(sources)];
  if (caller.isJson) for (const check of [...checks, ...aliases]) printJson(caller, check);
  else printLines(caller, doctorLines(checks, aliases, policy.settings().default, caller));
  return checks.some(({ disagree }) => disagree.length > 0) || aliases.some(({ isExported }) => !isExported) ? 1 : 0;
}

/** usher policy export --modprobe.d → exit status. */
export function exportPolicy(caller: Caller): number {
  const policy = readPolicy(caller.roots);
  for (const problem of policy.problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  const forbids = forbidsInForce(policy.decisions(), policy.moment());
  const text = exportModprobeD(forbids, policy.settings().default);
  if (caller.isJson) printJson(caller, { 'modprobe.d': text });
  else caller.stdout.write(text);
  return 0;
}

function doctorLines(
  checks: readonly ModuleCheck[],
  aliases: readonly AliasCheck[],
  byDefault: string,
  caller: Caller,
): readonly string[] {
  const columns = [
    { title: 'MODULE' },
    ...WAYS.map(way => ({ title: way.toUpperCase() })),
    { title: 'BY', canShrink: true },
  ];
  const rows = checks.map(check => [
    check.module,
    ...WAYS.map(way => wayText(check, way)),
    check.mechanisms
      .map(({ kind, place }) => (place === undefined ? kind : `${kind} ${formatPlace(place)}`))
      .join(', '),
  ]);
  const notes = checks.flatMap(notesOf);
  return [
    ...(rows.length === 0
      ? ['nothing names a module that is to be kept out']
      : formatTable(columns, rows, terminal(caller))),
    ...notes,
    ...aliases.map(
      ({ alias, isExported }) =>
        `${alias}: what it names is stopped for whoever matches it, by usher ${isExported ? 'and a plain modprobe' : 'only: usher policy export --modprobe.d writes a line a plain modprobe obeys'}`,
    ),
    ...(byDefault === 'deny-unmatched'
      ? [
          'default is "deny-unmatched": usherd and usher deny by name whatever no device asks for; a plain modprobe does not know of it',
        ]
      : []),
  ];
}

function wayText({ stopsUsher, stopsKmod }: ModuleCheck, way: Way): string {
  if (!stopsUsher.includes(way)) return 'open';
  return stopsKmod.includes(way) ? 'stopped' : 'only usher';
}

function notesOf({ module, mechanisms, disagree, comesWith, isBuiltin, isLoaded }: ModuleCheck): readonly string[] {
  const shown = comesWith.slice(0, SHOWN_MAX_MODULES).join(' ');
  const more = comesWith.length > SHOWN_MAX_MODULES ? ` and ${comesWith.length - SHOWN_MAX_MODULES} more` : '';
  return [
    ...(isBuiltin ? ['it is part of the kernel: nothing can keep it out'] : []),
    ...(isLoaded ? ['it is loaded now: what is written counts from its removal'] : []),
    ...(comesWith.length === 0 ? [] : [`it still comes with ${shown}${more}`]),
    ...mechanisms.flatMap(({ kind, place, note }) =>
      note === undefined
        ? []
        : [`${kind}${place === undefined ? '' : ` at ${formatPlace(place)}`} does nothing: ${note}`],
    ),
    ...(disagree.length === 0
      ? []
      : [
          `a plain modprobe does not obey (${disagree.join(', ')}): usher policy export --modprobe.d writes lines it does`,
        ]),
  ].map(text => `${module}: ${text}`);
}
