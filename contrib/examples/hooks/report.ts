import { definePlugin } from 'usherd/plugin';

/** Writes one line for each denial. A reporter is told of everything that was decided, and of every notice. */
export default definePlugin({
  name: 'denials',
  api: 1,
  setup: ({ log }) => [
    {
      kind: 'report',
      call: report => {
        if (report.kind !== 'handled') return;
        for (const { module, verdict, by = 'usherd', reason = '' } of report.decisions)
          if (verdict === 'deny') log.warn(`${module} for ${report.device.devpath}: ${by}: ${reason}`);
      },
    },
  ],
});
