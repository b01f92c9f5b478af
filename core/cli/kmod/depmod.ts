import { HELP_ROW, VERBOSE_ROW, VERSION_ROW } from './common-rows.ts';
import type { OptionRow } from './getopt.ts';
import type { KmodTool } from './tool.ts';

/** What older versions had: still taken, with a warning, and without effect. Each is named as it is spelled. */
const DEPRECATED: readonly OptionRow[] = [
  ...['u', 'q', 'r'].map(short => ({ name: `-${short}`, short, long: [] })),
  ...['unresolved-error', 'quiet'].map(long => ({ name: `--${long}`, long: [long] })),
].map(row => ({ ...row, help: 'does nothing', isHidden: true }));

export const depmod: KmodTool = {
  name: 'depmod',
  summary: 'index the modules of a kernel release',
  usage: ['depmod -[aA] [options] [version [/path/module.ko...]]'],
  description: [
    'Reads every module of a release and writes modules.dep, modules.alias, modules.symbols and the other files modprobe and usherd look names up in. Files appear whole or not at all. Without arguments the running release is indexed.',
  ],
  groups: [
    {
      title: 'Options',
      rows: [
        { name: 'all', short: 'a', long: ['all'], help: 'read all modules (the default)' },
        { name: 'quick', short: 'A', long: ['quick'], help: 'do nothing when no module is newer than modules.dep' },
        { name: 'errsyms', short: 'e', long: ['errsyms'], help: 'report symbols that nobody supplies' },
        { name: 'show', short: 'n', long: ['show', 'dry-run'], help: 'print the text files, write nothing' },
        {
          name: 'symbol-prefix',
          short: 'P',
          long: ['symbol-prefix'],
          value: 'CHAR',
          help: 'character that symbols may have before their name',
        },
        { name: 'config', short: 'C', long: ['config'], value: 'PATH', help: 'read the configuration from PATH' },
        {
          name: 'incremental',
          long: ['incremental'],
          help: 'read only files that changed since the last run with this option',
          isOurs: true,
        },
        VERBOSE_ROW,
        ...DEPRECATED,
        { name: 'warn', short: 'w', long: ['warn'], help: 'warn of aliases that a module has twice' },
        VERSION_ROW,
        HELP_ROW,
      ],
    },
    {
      title: 'Options for those who make distributions',
      rows: [
        { name: 'basedir', short: 'b', long: ['basedir'], value: 'DIR', help: 'use the module tree of an image' },
        { name: 'moduledir', short: 'm', long: ['moduledir'], value: 'DIR', help: 'use DIR in place of lib/modules' },
        { name: 'outdir', short: 'o', long: ['outdir'], value: 'DIR', help: 'write the files below DIR' },
        {
          name: 'filesyms',
          short: 'F',
          long: ['filesyms'],
          value: 'FILE',
          help: "the kernel's symbols, from System.map",
        },
        {
          name: 'symvers',
          short: 'E',
          long: ['symvers'],
          value: 'FILE',
          help: "the kernel's symbols and versions, from Module.symvers",
        },
      ],
    },
  ],
  run: async run => (await import('./run-depmod.ts')).runDepmod(run),
};
