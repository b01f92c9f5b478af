import { HELP_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

export const staticNodes: KmodTool = {
  name: 'static-nodes',
  summary: 'print the device nodes that load their module when they are opened',
  usage: ['kmod static-nodes [options]'],
  description: ['Prints what modules.devname of the running kernel has.'],
  groups: [
    {
      title: 'Options',
      rows: [
        {
          name: 'format',
          short: 'f',
          long: ['format'],
          value: 'FORMAT',
          help: 'human (the default; not to be parsed), tmpfiles or devname',
        },
        { name: 'output', short: 'o', long: ['output'], value: 'FILE', help: 'write to this file' },
        HELP_ROW,
      ],
    },
  ],
  run: async run => (await import('./run-static-nodes.ts')).runStaticNodes(run),
};
