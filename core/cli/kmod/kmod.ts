import { HELP_ROW, VERSION_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

const COMMANDS = `
Commands:
	help          show this help
	list          list the modules that are loaded
	static-nodes  print the device nodes that load their module when they are opened

Called through a link of one of these names it is that tool:
	lsmod, rmmod, insmod, modinfo, modprobe, depmod
`;

export const kmod: KmodTool = {
  name: 'kmod',
  summary: 'list loaded modules, or the device nodes that load one when they are opened',
  usage: ['kmod [options] command [command_options]'],
  description: [
    'Commands: list prints what lsmod does; static-nodes prints modules.devname of the running kernel, in a form for people, for tmpfiles.d(5) or as it is; help prints this. usher called through a link named lsmod, rmmod, insmod, modinfo, modprobe or depmod is that tool.',
  ],
  groups: [{ title: 'Options', rows: [VERSION_ROW, HELP_ROW] }],
  epilogue: COMMANDS,
  isStrict: true,
  run: async run => (await import('./run-kmod.ts')).runKmodCommand(run),
};
