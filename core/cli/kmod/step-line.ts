import type { Step } from '../../pipeline/5-resolve/load-plan.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';

/**
 * One step of a plan as `modprobe -v` and -D print it; undefined for what they do not mention. Options of the configuration have a
 * blank behind them, whether anything follows or not. Source: kmod tools/modprobe.c, as observed.
 * @param extra parameters of the command line, which the target has at the end of its own
 */
export function stepLine(step: Step, extra: string, showsBuiltin: boolean): string | undefined {
  switch (step.kind) {
    case 'insert':
      return `insmod ${step.path} ${shownParameters(step, extra)}`;
    case 'run-install':
      return `install ${step.command} ${shownParameters(step, extra)}`;
    case 'builtin':
      return showsBuiltin ? `builtin ${step.module}` : undefined;
    case 'loaded':
    case 'missing':
      return undefined;
    default:
      return assertNever(step);
  }
}

function shownParameters({ parameters, role }: Step & { readonly parameters: string }, extra: string): string {
  const hasExtra = role === 'target' && extra !== '';
  return parameters === '' || hasExtra ? parameters : `${parameters} `;
}
