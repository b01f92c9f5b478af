import { definePlugin } from 'usherd/plugin';

const PACKAGES: Readonly<Record<string, string>> = {
  '10de': 'nvidia-driver',
  '14e4': 'broadcom-sta-dkms',
};

/** Knows a package for some devices that no module here drives. It only says so: usherd installs nothing. */
export default definePlugin({
  name: 'vendor-packages',
  api: 1,
  hooks: [
    {
      kind: 'nomatch',
      filter: { modalias: ['pci:*'] },
      call: (_event, { modalias = '' }) => {
        const vendor = /^pci:v0000([0-9A-F]{4})/.exec(modalias)?.[1]?.toLowerCase() ?? '';
        const name = PACKAGES[vendor];
        return name === undefined
          ? undefined
          : { title: name, reason: `it drives devices of vendor ${vendor}`, command: `apt install ${name}` };
      },
    },
  ],
});
