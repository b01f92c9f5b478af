import type { ModprobeRun } from './modprobe-run.ts';
import { configuredWorld } from './tool-world.ts';
import { priorityOf, Priority } from './tool-log.ts';
import { ToolExit } from './tool-exit.ts';
import type { ToolRun } from './tool.ts';

/** modprobe(8): inserts, removes or shows. Exit status 0 or 1. */
export async function runModprobe(run: ToolRun): Promise<number> {
  const { log, operands, has, given, host } = run;
  const waitMs = waitOf(run);
  if (operands.length === 0 && !has('show-config')) {
    log.error('missing parameters. See -h.');
    return 1;
  }
  // Options count in their order: -q -v is quiet, -v -q too.
  let verbose: number = Priority.warning;
  for (const { name } of given) {
    if (name === 'quiet') verbose = Priority.emerg;
    if (name === 'verbose') verbose += 1;
  }
  log.priority = verbose === Priority.emerg ? verbose : Math.max(verbose, priorityOf(host.env['KMOD_LOG']) ?? 0);
  const world = configuredWorld(run, { base: run.valueOf('dirname'), version: run.valueOf('set-version') });
  const modprobeRun: ModprobeRun = {
    ...run,
    world,
    shows: has('show-depends') || verbose > Priority.warning,
    complain: text => log.print(has('all') ? Priority.warning : Priority.critical, text),
    commandEnv: commandEnv(run),
  };
  if (has('show-config')) {
    const { showConfig } = await import('./modprobe-show.ts');
    return showConfig(modprobeRun);
  }
  if (has('show-modversions') || has('show-exports')) {
    const { showSymbols } = await import('./modprobe-show.ts');
    return showSymbols(modprobeRun, has('show-modversions') ? 'modversions' : 'exports');
  }
  if (has('remove')) {
    const { removeModules } = await import('./modprobe-remove.ts');
    return removeModules(modprobeRun, waitMs);
  }
  if (has('resolve-alias')) {
    const { resolveAliases } = await import('./modprobe-show.ts');
    return resolveAliases(modprobeRun);
  }
  const { insertModules } = await import('./modprobe-insert.ts');
  return insertModules(modprobeRun);
}

/** What strtoul(3) takes with base 0: blanks, a sign, and 0x or a leading 0 for other bases. */
const UNSIGNED = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** @throws {ToolExit} when the number of milliseconds is none; one below zero is, as in strtoul(3), the largest there is */
function waitOf({ valueOf, log }: ToolRun): number {
  const text = valueOf('wait');
  if (text === undefined) return 0;
  const [, sign = '', digits = ''] = UNSIGNED.exec(text) ?? [];
  if (digits === '') {
    log.error(`unexpected wait value '${text}'.`);
    throw new ToolExit(1);
  }
  const number = /^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === '-' && number > 0 ? Number.MAX_SAFE_INTEGER : Math.min(number, Number.MAX_SAFE_INTEGER);
}

/** -C, -s, -q and -v are passed on. Source: kmod tools/modprobe.c, env_modprobe_options_append. */
function commandEnv({ host, given }: ToolRun): Readonly<Record<string, string | undefined>> {
  const words = given.flatMap(({ name, value }) => {
    if (name === 'config') return ['-C', value ?? ''];
    const letter = { syslog: '-s', quiet: '-q', verbose: '-v' }[name];
    return letter === undefined ? [] : [letter];
  });
  if (words.length === 0) return host.env;
  const before = host.env['MODPROBE_OPTIONS'];
  return { ...host.env, MODPROBE_OPTIONS: [...(before === undefined ? [] : [before]), ...words].join(' ') };
}
