import type { Verb } from '../verb.ts';

/** What the manual and --help say of `usher why`, and what words it takes. */
export const whyUsage: Omit<Verb, 'run'> = {
  name: 'why',
  summary: 'explain why a device has the driver it has, or none; or what a module or modalias leads to',
  description: [
    'Tells the whole path: the event, the alias line with its file and line, each opinion and who holds it, the plan, what the kernel answered and what that means, and whether a driver took the device. What is absent is said too: no modalias, nothing that claims it, a denial, a refusal.',
    'Of a plan that is made now for the running kernel it is said what can be seen beforehand: signatures it wants, vermagic, modules and firmware that are absent, parameters, and how the kernel would be tainted. modprobe --why looks at symbols, too.',
    'What the ledger has of the device is told; a device the ledger does not know, or any with --now, is thought through afresh, as the daemon would, without doing anything. It works without a daemon.',
  ],
  arguments: [
    {
      name: 'subject',
      description: 'a device (devpath, sysfs path, sysname, /dev node), a module, or a modalias',
      isRequired: true,
      completes: 'device',
    },
  ],
  options: [{ flags: '--now', description: 'think it through afresh, whatever the ledger says' }],
  examples: [
    { command: 'usher why 0000:00:1f.2', does: 'Why this PCI device has the driver it has.' },
    {
      command: 'usher why pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
      does: 'What would drive such a device.',
    },
    { command: 'usher why nouveau', does: 'Where the module is, who claims it, what the configuration says of it.' },
  ],
};
