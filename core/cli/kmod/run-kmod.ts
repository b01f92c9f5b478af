import { listModules } from './list-modules.ts';
import { runTool } from './run-tool.ts';
import { helpText } from './tool-help.ts';
import type { ToolRun } from './tool.ts';

const COMMANDS = `
Commands:
	help          show this help
	list          list the modules that are loaded
	static-nodes  print the device nodes that load their module when they are opened

Called through a link of one of these names it is that tool:
	lsmod, rmmod, insmod, modinfo, modprobe, depmod
`;

/** kmod(8): its first operand is the command, and what follows is the command's. */
export async function runKmodCommand(run: ToolRun): Promise<number> {
  const { tool, host, given, operands } = run;
  const [command, ...rest] = operands;
  switch (command) {
    case 'help':
      host.out(helpText(tool) + COMMANDS);
      return 0;
    case 'list':
      return listModules(run);
    case 'static-nodes': {
      const { staticNodes } = await import('./static-nodes.ts');
      // What roots were given before the command are its roots, too; those behind it win.
      const before = given.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`));
      return runTool(staticNodes, [...before, ...rest], host);
    }
    default:
      host.err(command === undefined ? 'missing command\n' : `invalid command '${command}'\n`);
      host.out(helpText(tool) + COMMANDS);
      return 1;
  }
}
