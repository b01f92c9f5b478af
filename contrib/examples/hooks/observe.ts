import { definePlugin } from 'usherd/plugin';

/** Counts how often each device was unplugged. An observer sees events and changes nothing; nobody waits for it. */
export default definePlugin({
  name: 'unplug-count',
  api: 1,
  setup: ({ store, log }) => [
    {
      kind: 'observe',
      filter: { action: ['remove'], subsystem: ['usb'] },
      call: async ({ devpath }) => {
        const before = await store.get(devpath);
        const times = (typeof before === 'number' ? before : 0) + 1;
        await store.set(devpath, times);
        log.info(`${devpath} was unplugged for the ${times}. time`);
      },
    },
  ],
});
