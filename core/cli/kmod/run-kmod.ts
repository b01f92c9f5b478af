import { lsmod } from './lsmod.ts';
import { runTool } from './run-tool.ts';
import { helpText } from './tool-help.ts';
import type { ToolRun } from './tool.ts';

/** kmod(8): its first operand is the command, and what follows is the command's. */
export async function runKmodCommand(run: ToolRun): Promise<number> {
  const { tool, host, given, operands } = run;
  const [command, ...rest] = operands;
  // What roots were given before the command are its roots, too; those behind it win.
  const rootsBefore = given.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`));
  switch (command) {
    case 'help':
      host.out(helpText(tool));
      return 0;
    case 'list':
      return runTool(lsmod, [...rootsBefore, ...rest], host);
    case 'static-nodes': {
      const { staticNodes } = await import('./static-nodes.ts');
      return runTool(staticNodes, [...rootsBefore, ...rest], host);
    }
    default:
      host.err(command === undefined ? 'missing command\n' : `invalid command '${command}'\n`);
      host.out(helpText(tool));
      return 1;
  }
}
