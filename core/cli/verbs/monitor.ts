import type { Handled } from '../../pipeline/8-report/handled.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import { isSet } from '../option-values.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const monitor: Verb = {
  name: 'monitor',
  summary: 'print events and decisions as they happen',
  description: [
    'Asks the running daemon and prints each event as it comes, and what was done about it once that is known. With --kernel-events or --udev-events it listens by itself, needs no daemon, and shows that source unjudged.',
  ],
  arguments: [],
  options: [
    { flags: '-k, --kernel-events', description: 'listen to the kernel, without a daemon' },
    { flags: '-u, --udev-events', description: 'listen to udevd, without a daemon' },
    { flags: '-p, --properties', description: 'print every KEY=VALUE of an event' },
  ],
  examples: [{ command: 'usher monitor --json', does: 'The same for a program, one object a line.' }],
  run: runMonitor,
};

interface Received {
  readonly kind: 'received';
  readonly event: Handled['event'];
}

async function runMonitor(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const showsProperties = isSet(options, 'properties');
  if (isSet(options, 'kernelEvents')) return listen('kernel', showsProperties, caller);
  if (isSet(options, 'udevEvents')) return listen('udev', showsProperties, caller);
  const { askDaemon } = await import('../daemon-call.ts');
  const { handledLine } = await import('../../daemon/printer.ts');
  const { readDriver } = await import('../../kernel/sysfs.ts');
  const driverOf = (devpath: Devpath): string | undefined => readDriver(caller.roots, devpath);
  for await (const item of askDaemon(caller, 'monitor')) {
    const told = item as unknown as
      | Received
      | ({ readonly kind: 'handled' } & Handled)
      | { readonly kind: 'missed'; readonly count: number };
    if (caller.isJson) printJson(caller, told);
    else if (told.kind === 'received') printEvent(told.event, showsProperties, caller);
    else if (told.kind === 'handled') printSpans(caller, ['  ', ...handledLine(told, driverOf)]);
    else printSpans(caller, [`  ${told.count} events were not shown: this terminal is slower than they come`]);
  }
  return 0;
}

/** Prints one source's events until Ctrl-C. */
async function listen(group: 'kernel' | 'udev', showsProperties: boolean, caller: Caller): Promise<number> {
  const { NetlinkSource } = await import('../../pipeline/1-intake/netlink-source.ts');
  const ended = Promise.withResolvers<void>();
  const source = new NetlinkSource({ group, root: caller.roots, failed: ended.reject });
  source.start({
    uevents: batch => {
      for (const event of batch) {
        if (caller.isJson) printJson(caller, { kind: 'received', event });
        else printEvent(event, showsProperties, caller);
      }
    },
    rejected: ({ reason }) => void caller.stderr.write(`usher: rejected a datagram: ${reason}\n`),
    lost: ({ dropped }) => void caller.stderr.write(`usher: ${dropped ?? 'some'} events lost\n`),
  });
  caller.signal.addEventListener('abort', () => ended.resolve(), { once: true });
  await ended.promise;
  source.stop();
  return 0;
}

function printEvent(event: Handled['event'], showsProperties: boolean, caller: Caller): void {
  const { action, subsystem, devpath, seqnum = '-', env, origin } = event;
  const who = origin.kind === 'kernel' ? '' : ` (${origin.kind})`;
  printSpans(caller, [
    { text: action.padEnd(7), style: 'name' },
    ` ${String(seqnum).padStart(7)} ${subsystem.padEnd(10)} ${devpath}${who}`,
  ]);
  if (!showsProperties) return;
  for (const [key, value] of Object.entries(env)) printSpans(caller, [{ text: `    ${key}=${value}`, style: 'faint' }]);
}
