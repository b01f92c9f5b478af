import { writeExpected } from './expected-opinions.ts';

/** Devices of the template's recording: one whose vendor the settings name, and one whose they do not. */
const STICKS = [
  { product: '951/1666/110', modalias: 'usb:v0951p1666d0110dc00dsc00dp00ic08isc06ip50in00', port: '1-1' },
  { product: '781/5581/100', modalias: 'usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00', port: '1-2' },
] as const;
const BUS = '/devices/pci0000:00/0000:00:14.0/usb1';
const RELEASE = '6.1.0-example';

/** A plugin's name → the files it begins with: a small policy, its settings, and a recording with what it must say to it. */
export function pluginTemplate(name: string): ReadonlyMap<string, string> {
  const tree = `test/root/lib/modules/${RELEASE}`;
  return new Map([
    ['index.ts', source(name)],
    [`${name}.toml`, SETTINGS],
    ['README.md', readme(name)],
    ['test/storage.uevents', recording()],
    ['test/storage.expected.toml', expected()],
    [`${tree}/modules.alias`, 'alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage\n'],
    [`${tree}/modules.dep`, 'kernel/usb-storage.ko: kernel/scsi_mod.ko\nkernel/scsi_mod.ko:\n'],
  ]);
}

const SETTINGS = `# Goes to /etc/usherd/plugins/ beside the plugin's folder.
enabled = true

[settings]
vendors = ["0951"]
`;

function source(name: string): string {
  return `import { definePlugin, hold } from 'usherd/plugin';
import * as v from 'usherd/schema';

/** Has USB storage wait for an administrator, unless its vendor is one the settings name. */
export default definePlugin({
  name: '${name}',
  api: 1,
  summary: 'has USB storage of unknown vendors wait',
  settings: v.strictObject({ vendors: v.optional(v.array(v.string()), []) }),
  setup: ({ settings: { vendors } }) => [
    {
      kind: 'opine',
      // When this plugin cannot answer, no storage comes in.
      onError: 'deny',
      // usherd looks at the filter before it calls: other devices cost nothing.
      filter: { modalias: ['usb:*ic08*'], role: ['target'], asker: ['device'] },
      call: ({ asker }) => {
        const modalias = asker.kind === 'device' ? asker.device.modalias : undefined;
        const vendor = /^usb:v([0-9A-F]{4})/.exec(modalias ?? '')?.[1]?.toLowerCase() ?? 'unknown';
        return vendors.includes(vendor) ? undefined : hold(\`USB storage of vendor \${vendor} is not known here\`);
      },
    },
  ],
});
`;
}

function readme(name: string): string {
  return `# ${name}

Has USB storage wait for an administrator, unless \`vendors\` in \`${name}.toml\` names its vendor (four hexadecimal digits, small letters, as lsusb
prints them).

\`\`\`
usher plugin check     types, definition and settings
usher plugin test      the recordings in test/, and what the plugin must say to them
usher record           makes a recording of what is plugged in: put it into test/, then usher plugin test --update
\`\`\`

To use it, copy this folder to \`/etc/usherd/plugins/${name}\` and \`${name}.toml\` beside it, both owned by root. \`usher plugin list\` tells how it does.
\`usherd-plugins(7)\` has an example for each kind of hook.
`;
}

function recording(): string {
  const header = { 'usherd-recording': 1, kernel: RELEASE, started: '2026-11-23T09:00:00.000Z' };
  const lines = STICKS.map(({ product, modalias, port }, index) => {
    const devpath = `${BUS}/${port}/${port}:1.0`;
    const seqnum = String(1001 + index);
    const fields = [
      `add@${devpath}`,
      'ACTION=add',
      `DEVPATH=${devpath}`,
      'SUBSYSTEM=usb',
      'DEVTYPE=usb_interface',
      `PRODUCT=${product}`,
      'TYPE=0/0/0',
      'INTERFACE=8/6/80',
      `MODALIAS=${modalias}`,
      `SEQNUM=${seqnum}`,
    ];
    return { t: index * 1000, from: 'kernel', seqnum, raw: fields.map(field => `${field}\0`).join('') };
  });
  return [header, ...lines].map(line => `${JSON.stringify(line)}\n`).join('');
}

function expected(): string {
  return writeExpected('storage.uevents', [
    {
      device: `${BUS}/1-2/1-2:1.0`,
      module: 'usb_storage',
      verdict: 'hold',
      reason: 'USB storage of vendor 0781 is not known here',
    },
  ]);
}
