import type { OptionSpec, OptionValues } from './verb.ts';
import type { RootOptions } from '../kernel/system-root.ts';

/** Options every verb takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--json', description: 'print JSON with stable field names; a list prints one object a line' },
  {
    flags: '--root <dir>',
    description: 'a folder that stands for /: a fixture, a chroot, another disk',
    completes: 'directory',
  },
  { flags: '--sys-root <dir>', description: 'stands for /sys', completes: 'directory' },
  { flags: '--proc-root <dir>', description: 'stands for /proc', completes: 'directory' },
  { flags: '--dev-root <dir>', description: 'stands for /dev', completes: 'directory' },
  {
    flags: '--modules-root <dir>',
    description: "one kernel release's module folder, or the folder above it",
    completes: 'directory',
  },
  {
    flags: '--config-root <dir>',
    description: 'stands for /etc and the other configuration folders',
    completes: 'directory',
  },
  { flags: '--state-dir <dir>', description: 'where the ledger and caches are kept', completes: 'directory' },
  { flags: '--kernel <release>', description: "a kernel release other than the running one's" },
];

/** Parsed global options → the roots they name. */
export function rootOptionsOf(values: OptionValues): RootOptions {
  const text = (key: string): string | undefined => (typeof values[key] === 'string' ? values[key] : undefined);
  return {
    root: text('root'),
    sysRoot: text('sysRoot'),
    procRoot: text('procRoot'),
    devRoot: text('devRoot'),
    modulesRoot: text('modulesRoot'),
    configRoot: text('configRoot'),
    stateDir: text('stateDir'),
  };
}
