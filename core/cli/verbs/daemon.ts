import path from 'node:path';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const daemon: Verb = {
  name: 'daemon',
  summary: 'run the daemon in the foreground',
  description: [
    'Takes uevents, looks each MODALIAS up in the module indexes, asks policy, loads the drivers as modprobe would, and keeps every event, decision and outcome in the ledger.',
    'At start it goes through the devices that are there already, parents first, and first of all through those that wait for a driver. As root it loads; otherwise, or with --observe, it says and records what it would do. Where the kernel has no module tree it says which one it looked for and goes on.',
    'Policy is asked about every module of a plan: modprobe.d, the kernel command line, [policy] of usherd.toml(5), and what usher forbid, approve and deny have decided. With dist/usher-modprobe in /proc/sys/kernel/modprobe the kernel’s own requests go the same way.',
    'It prints a line for each device that asked for a driver: the driver it has or would get, and why.',
  ],
  arguments: [],
  options: [
    {
      flags: '--source <source>',
      description: 'who is listened to; auto is udev where udevd runs',
      choices: ['auto', 'kernel', 'udev'],
    },
    { flags: '--observe', description: 'load nothing, say what would be loaded' },
    { flags: '--no-coldplug', description: 'leave the devices that are there already alone' },
    { flags: '--quiet', description: 'print only what is wrong; the ledger has the rest' },
    {
      flags: '--receive-buffer <size>',
      description: 'what the kernel may keep for usherd while it is busy, as 128MiB',
    },
    {
      flags: '--accept-injected',
      description:
        'take events a process had the kernel send: for tests in a namespace of their own, never on a machine',
    },
  ],
  examples: [
    { command: 'usher daemon --observe', does: 'Watch what would be loaded, from now on, without loading it.' },
    { command: 'usher daemon --quiet', does: 'As the systemd unit runs it.' },
  ],
  run: runDaemonVerb,
};

async function runDaemonVerb(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { runDaemon } = await import('../../daemon/main.ts');
  return runDaemon(options, { ...caller, answers: answersFile() });
}

/** In the bundle it lies beside this one; from the sources it is a source, too. */
function answersFile(): string {
  const here = import.meta.dirname;
  const isSource = here.endsWith(path.join('cli', 'verbs'));
  return isSource ? path.join(here, '../answers/answer-worker.ts') : path.join(here, 'usher-answers.cjs');
}
