import { definePlugin, deny } from 'usherd/plugin';

/** Lets no module in that nobody signed, when it is for something that was plugged in. What a module's file says is a fact to be asked for. */
export default definePlugin({
  name: 'signed-only',
  api: 1,
  hooks: [
    {
      kind: 'opine',
      onError: 'deny',
      filter: { asker: ['device'], subsystem: ['usb'] },
      wants: ['traits'],
      call: ({ module, traits }) => (traits?.signer === '' ? deny(`nobody signed ${module}`) : undefined),
    },
  ],
});
