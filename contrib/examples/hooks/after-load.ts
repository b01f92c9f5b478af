import { definePlugin } from 'usherd/plugin';

/** Removes a driver again as soon as it was loaded, because this machine only tests that it loads. `unload` is a need to be granted. */
export default definePlugin({
  name: 'load-and-go',
  api: 1,
  needs: ['unload'],
  setup: ({ actions, log }) => [
    {
      kind: 'afterLoad',
      filter: { subsystem: ['pci'] },
      call: async ({ device, outcomes }) => {
        for (const { module, kind } of outcomes) {
          if (kind !== 'inserted') continue;
          const answer = await actions.unload(module);
          log.info(
            'refused' in answer ? `${module} stays: ${answer.refused}` : `${module} loads for ${device.devpath}`,
          );
        }
      },
    },
  ],
});
