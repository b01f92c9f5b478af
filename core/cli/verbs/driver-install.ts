import { isSet } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverInstall: Verb = {
  name: 'driver install',
  summary: 'install a driver for a device, load it, and make sure that it took the device',
  description: [
    'Takes the best candidate of usher driver search, or the one that is named, says what would be done, and asks. Nothing is changed without an answer, --yes, or --by-policy and a setting that names the origin.',
    'Packages are fetched by a process with the network and without privileges, compared with the hashes of the signed index, and installed by apt with privileges and without a network. Modules of DKMS are built, the indexes are written anew, the device is matched again and its driver loaded by the same policy as ever; it is done when a driver has the device. Each step is in a journal before it begins, and in the ledger: after a loss of power usher driver recover brings it to an end.',
    'When a step fails it is said what is left, and it can be taken back: at once, with --undo-on-failure without being asked, or later by usher driver remove.',
  ],
  arguments: [
    {
      name: 'device',
      description: 'a device that is there (devpath, sysfs path, sysname, /dev node)',
      completes: 'device',
    },
    { name: 'candidate', description: 'a candidate of usher driver search' },
  ],
  options: [
    { flags: '-y, --yes', description: 'consent is given beforehand' },
    {
      flags: '--by-policy',
      description: 'for every device without a driver: install what comes from an origin of vendor_driver.install_from',
    },
    { flags: '--undo-on-failure', description: 'when a step fails, take back what was done' },
    { flags: '-n, --dry-run', description: 'only say what would be done' },
  ],
  examples: [
    { command: 'usher driver install 0000:01:00.0', does: 'The best driver for this PCI device, after asking.' },
    { command: 'usher driver install 0000:01:00.0 nvidia-driver-535 --yes', does: 'This one, without asking.' },
  ],
  exitStatuses: {
    1: 'nothing is known that may be installed, or no such device',
    14: 'a step failed; the message says which, and what is left',
    15: 'no consent was given; nothing was changed',
  },
  run: runInstall,
};

async function runInstall(args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { installDriver, installByPolicy } = await import('../install-driver.ts');
  const wish = {
    isYes: isSet(options, 'yes'),
    isDryRun: isSet(options, 'dryRun'),
    undoOnFailure: isSet(options, 'undoOnFailure'),
  };
  return isSet(options, 'byPolicy') ? installByPolicy(wish, caller) : installDriver(args, wish, caller);
}
