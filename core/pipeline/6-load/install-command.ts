/**
 * An install command and the module's parameters → the line /bin/sh is given: every `$CMDLINE_OPTS` is filled in, with nothing in a
 * remove command.
 * Source: modprobe.d(5), install.
 */
export function fillInstallCommand(command: string, parameters: string): string {
  return command.replaceAll('$CMDLINE_OPTS', () => parameters);
}
