import { HELP_ROW, OVERRIDE_ROW, SYSLOG_ROW, VERBOSE_ROW, VERSION_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

export const insmod: KmodTool = {
  name: 'insmod',
  summary: 'insert one module file into the kernel',
  usage: ['insmod [options] filename [parameters]'],
  description: [
    'Gives the kernel this file and nothing else: what the module needs must be there already. When the kernel refuses it, what can be seen of the reason is printed beside its answer.',
  ],
  groups: [
    {
      title: 'Options',
      rows: [
        { name: 'force', short: 'f', long: ['force'], help: 'force insertion; implies the two options below' },
        { name: 'force-modversion', long: ['force-modversion'], help: "ignore the module's symbol versions" },
        { name: 'force-vermagic', long: ['force-vermagic'], help: "ignore the module's version magic" },
        { name: 'ignored', short: 'p', long: [], help: 'does nothing', isHidden: true },
        SYSLOG_ROW,
        VERBOSE_ROW,
        OVERRIDE_ROW,
        { name: 'why', long: ['why'], help: 'do nothing; say what is to be expected', isOurs: true },
        VERSION_ROW,
        HELP_ROW,
      ],
    },
  ],
  operand: 'file',
  run: async run => (await import('./run-insmod.ts')).runInsmod(run),
};
