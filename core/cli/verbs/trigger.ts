import { randomUUID } from 'node:crypto';
import { UsherdError } from '../../errors.ts';
import { walkSysfs, type SysfsDevice } from '../../kernel/sysfs.ts';
import { writeUeventFile } from '../../kernel/uevent-file.ts';
import { ACTIONS } from '../../pipeline/1-intake/uevent.ts';
import { globMatches } from '../../kmod/lookup/glob.ts';
import { deviceMatcher } from '../device-lookup.ts';
import { isSet, listOption, textOption } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const trigger: Verb = {
  name: 'trigger',
  summary: 'ask the kernel to send the uevents of devices again',
  description: [
    'Writes an action and a fresh UUID to the uevent file of each device named, parents first, so that every listener on the machine sees the event again. Without a name or a filter all devices are triggered.',
    'The kernel carries the UUID back in SYNTH_UUID: the history shows which events were asked for by which trigger.',
  ],
  arguments: [
    {
      name: 'device',
      description: 'devpath, sysfs path, sysname, /dev node or a pattern',
      isVariadic: true,
      completes: 'device',
    },
  ],
  options: [
    { flags: '-c, --action <action>', description: 'what the event says (default: change)', choices: ACTIONS },
    {
      flags: '-s, --subsystem <pattern>',
      description: 'only devices of this subsystem',
      completes: 'subsystem',
      isRepeatable: true,
    },
    { flags: '-n, --dry-run', description: 'print the devices, trigger none' },
    { flags: '--settle', description: 'wait until the daemon has dealt with them all' },
    { flags: '--timeout <seconds>', description: 'longest wait with --settle (default: 120)' },
  ],
  examples: [
    {
      command: 'usher trigger --action add --subsystem usb --settle',
      does: 'Ask for the drivers of all USB devices again and wait for them.',
    },
    { command: "usher trigger -n '/devices/pci*'", does: 'List the PCI devices and all below them.' },
  ],
  run: runTrigger,
};

async function runTrigger(args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const action = textOption(options, 'action') ?? 'change';
  const subsystems = listOption(options, 'subsystem');
  const matchers = args.map(word => deviceMatcher(word, caller.roots));
  const devices = walkSysfs(caller.roots)
    .filter(device => matchers.length === 0 || matchers.some(isMeant => isMeant(device)))
    .filter(({ subsystem }) => subsystems.length === 0 || subsystems.some(pattern => globMatches(pattern, subsystem)));
  if (devices.length === 0 && args.length > 0) {
    throw new UsherdError('NOT_FOUND', `no device in ${caller.roots.sys} is called ${args.join(' or ')}`, {
      wanted: args,
    });
  }
  const uuid = randomUUID();
  for (const { devpath } of devices) {
    if (!isSet(options, 'dryRun')) trip(caller.roots.sys, devpath, action, uuid);
    caller.stdout.write(
      caller.isJson ? `${JSON.stringify({ devpath, action, uuid })}\n` : isSet(options, 'dryRun') ? `${devpath}\n` : '',
    );
  }
  if (!isSet(options, 'settle') || isSet(options, 'dryRun')) return 0;
  const { settle } = await import('./settle.ts');
  return settle.run([], options, caller);
}

function trip(sysRoot: string, devpath: SysfsDevice['devpath'], action: string, uuid: string): void {
  try {
    writeUeventFile({ sys: sysRoot }, devpath, action, uuid);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UsherdError(
        'NOT_PERMITTED',
        `${sysRoot}${devpath}/uevent: only root may trigger a device`,
        { devpath },
        error,
      );
    }
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error; // A device may go while we walk.
  }
}
