import { HELP_ROW, OVERRIDE_ROW, SYSLOG_ROW, VERBOSE_ROW, VERSION_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

export const modprobe: KmodTool = {
  name: 'modprobe',
  summary: 'add a module to the kernel with all it needs, or remove it',
  usage: [
    'modprobe [options] [-i] [-b] modulename [parameters]',
    'modprobe [options] -a [-i] [-b] modulename [modulename...]',
    'modprobe [options] -r [-i] modulename',
    'modprobe [options] -r -a [-i] modulename [modulename...]',
    'modprobe [options] -c',
    'modprobe [options] --show-modversions filename',
  ],
  description: [
    'Looks a name or alias up in the module tree and in modprobe.d(5), and inserts every module it stands for, each with its dependencies and softdeps, deepest first. A name that begins with / or ./ is a file.',
    'With -r modules are removed instead, and in one pass what they needed and nobody else uses.',
    'MODPROBE_OPTIONS holds words that stand before those of the command line. KMOD_LOG (err, info, debug) makes it say more. Commands of modprobe.d find the module’s name in MODPROBE_MODULE.',
  ],
  groups: [
    {
      title: 'Management Options',
      rows: [
        { name: 'all', short: 'a', long: ['all'], help: 'take every argument for a module name, not only the first' },
        { name: 'remove', short: 'r', long: ['remove'], help: 'remove modules instead of inserting' },
        { name: 'remove-holders', long: ['remove-dependencies'], help: 'deprecated: use --remove-holders' },
        { name: 'remove-holders', long: ['remove-holders'], help: 'also remove module holders (together with -r)' },
        {
          name: 'wait',
          short: 'w',
          long: ['wait'],
          value: 'MSEC',
          help: 'when removing, wait so long for the module to be unused',
        },
        { name: 'first-time', long: ['first-time'], help: 'fail if already inserted or removed' },
        {
          name: 'ignore-commands',
          short: 'i',
          long: ['ignore-install', 'ignore-remove'],
          help: 'ignore install and remove commands',
        },
        { name: 'use-blacklist', short: 'b', long: ['use-blacklist'], help: 'apply the blacklist to names, too' },
        {
          name: 'force',
          short: 'f',
          long: ['force'],
          help: 'force insertion or removal; implies the two options below',
        },
        { name: 'force-modversion', long: ['force-modversion'], help: "ignore the module's symbol versions" },
        { name: 'force-vermagic', long: ['force-vermagic'], help: "ignore the module's version magic" },
        OVERRIDE_ROW,
      ],
    },
    {
      title: 'Query Options',
      rows: [
        {
          name: 'resolve-alias',
          short: 'R',
          long: ['resolve-alias', 'show-alias'],
          help: 'only look up and print the modules of an alias',
        },
        { name: 'show-depends', short: 'D', long: ['show-depends'], help: 'only print what would be inserted' },
        { name: 'show-config', short: 'c', long: ['showconfig', 'show-config'], help: 'print the configuration' },
        {
          name: 'show-modversions',
          long: ['show-modversions', 'dump-modversions'],
          help: 'print the symbol versions a module was built against',
        },
        { name: 'show-exports', long: ['show-exports'], help: 'print the symbols a module exports' },
        {
          name: 'why',
          long: ['why'],
          help: 'do nothing; explain what would be done, why, and what stands against it',
          isOurs: true,
        },
      ],
    },
    {
      title: 'General Options',
      rows: [
        {
          name: 'dry-run',
          short: 'n',
          long: ['dry-run', 'show'],
          help: 'do nothing; with -v print what would be done',
        },
        { name: 'config', short: 'C', long: ['config'], value: 'FILE', help: 'use FILE instead of the default paths' },
        { name: 'dirname', short: 'd', long: ['dirname'], value: 'DIR', help: 'use DIR as the root of /lib/modules' },
        {
          name: 'set-version',
          short: 'S',
          long: ['set-version'],
          value: 'VERSION',
          help: 'use VERSION instead of `uname -r`',
        },
        SYSLOG_ROW,
        { name: 'quiet', short: 'q', long: ['quiet'], help: 'disable messages' },
        VERBOSE_ROW,
        VERSION_ROW,
        HELP_ROW,
      ],
    },
  ],
  operand: 'module',
  wordsFrom: 'MODPROBE_OPTIONS',
  run: async run => (await import('./run-modprobe.ts')).runModprobe(run),
};
