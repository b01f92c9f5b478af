import { UsherdError } from '../../errors.ts';
import type { Verb } from '../verb.ts';

export const driver: Verb = {
  name: 'driver',
  summary: 'from a device without a driver to a bound one: search, install, list, remove',
  description: [
    'usher driver search tells what would drive a device, and why; usher driver install has it installed by the system’s package manager, loads it and makes sure that it took the device; usher driver list tells what was installed so, and usher driver remove goes back.',
  ],
  arguments: [],
  options: [],
  examples: [{ command: 'usher driver search 0000:01:00.0', does: 'What would drive this PCI device.' }],
  run: () =>
    Promise.reject(new UsherdError('USAGE', 'usher driver needs one of search, install, list, remove, recover')),
};
