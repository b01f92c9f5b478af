import { definePlugin, hold } from 'usherd/plugin';
import * as v from 'usherd/schema';

/** Has USB storage wait for an administrator, unless its vendor is one the settings name. */
export default definePlugin({
  name: 'known-sticks',
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
        return vendors.includes(vendor) ? undefined : hold(`USB storage of vendor ${vendor} is not known here`);
      },
    },
  ],
});
