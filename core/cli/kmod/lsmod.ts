import { HELP_ROW, SYSLOG_ROW, VERBOSE_ROW, VERSION_ROW } from './common-rows.ts';
import { listModules } from './list-modules.ts';
import type { KmodTool } from './tool.ts';

export const lsmod: KmodTool = {
  name: 'lsmod',
  summary: 'show which modules are loaded',
  usage: ['lsmod [options]'],
  description: [
    'Prints a line for each loaded module, newest first: its name, the bytes it takes, how many hold it, and which modules do.',
  ],
  groups: [{ title: 'Options', rows: [SYSLOG_ROW, VERBOSE_ROW, VERSION_ROW, HELP_ROW] }],
  run: run => {
    if (run.operands.length === 0) return listModules(run);
    run.host.err('Usage: lsmod\n');
    return 1;
  },
};
