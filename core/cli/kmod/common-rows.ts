import type { OptionGroup } from './tool.ts';
import type { OptionRow } from './getopt.ts';

export const VERSION_ROW: OptionRow = { name: 'version', short: 'V', long: ['version'], help: 'show version' };
export const HELP_ROW: OptionRow = { name: 'help', short: 'h', long: ['help'], help: 'show this help' };
export const SYSLOG_ROW: OptionRow = {
  name: 'syslog',
  short: 's',
  long: ['syslog'],
  help: 'print to syslog, not stderr',
};
export const VERBOSE_ROW: OptionRow = { name: 'verbose', short: 'v', long: ['verbose'], help: 'enables more messages' };

export const OVERRIDE_ROW: OptionRow = {
  name: 'override-policy',
  long: ['override-policy'],
  value: 'REASON',
  help: "pass over usherd's policy; recorded with the reason",
  isOurs: true,
};

const ROOTS: readonly (readonly [name: string, help: string])[] = [
  ['root', 'a folder that stands for /'],
  ['sys-root', 'stands for /sys'],
  ['proc-root', 'stands for /proc'],
  ['dev-root', 'stands for /dev'],
  ['modules-root', "one release's module folder, or the folder above it"],
  ['config-root', 'stands for /etc and the other configuration folders'],
  ['state-dir', 'where decisions and caches are kept'],
];

/** Options of ours that every tool takes. They are long only and must be written out. */
export const OUR_GROUP: OptionGroup = {
  title: 'Options of usher (to be written out)',
  rows: [
    { name: 'json', long: ['json'], help: 'print JSON, one object a line', isOurs: true },
    ...ROOTS.map(([name, help]): OptionRow => ({ name, long: [name], value: 'DIR', help, isOurs: true })),
    {
      name: 'kernel',
      long: ['kernel'],
      value: 'RELEASE',
      help: "a kernel release other than the running one's",
      isOurs: true,
    },
  ],
};
