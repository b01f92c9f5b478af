import { HELP_ROW, SYSLOG_ROW, VERBOSE_ROW, VERSION_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

export const rmmod: KmodTool = {
  name: 'rmmod',
  summary: 'remove modules from the kernel, and nothing else with them',
  usage: ['rmmod [options] modulename ...'],
  description: ['Removes the modules named, by name or file. What holds a module that stays is printed.'],
  groups: [
    {
      title: 'Options',
      rows: [
        {
          name: 'force',
          short: 'f',
          long: ['force'],
          help: 'remove also what is in use; few kernels allow it, and it may crash the machine',
        },
        SYSLOG_ROW,
        VERBOSE_ROW,
        { name: 'why', long: ['why'], help: 'do nothing; say what holds the module', isOurs: true },
        VERSION_ROW,
        HELP_ROW,
      ],
    },
  ],
  operand: 'module',
  run: async run => (await import('./run-rmmod.ts')).runRmmod(run),
};
