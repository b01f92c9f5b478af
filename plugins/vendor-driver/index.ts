import { definePlugin } from '../../core/plugin-api/index.ts';
import { proposalOf } from './proposal.ts';
import { vendorDriverSettings } from './settings.ts';

/** A search of all indexes, together with those of other devices, in ms. It is in nobody's way. */
const SEARCH_MAX_MS = 60_000;

/** Proposes a driver for a device that no module here drives. See README.md beside it. */
export default definePlugin({
  name: 'vendor-driver',
  api: 1,
  summary: 'proposes packages, firmware or catalogue entries for devices without a driver',
  needs: ['search'],
  settings: vendorDriverSettings,
  setup: ({ settings, actions }) => [
    {
      kind: 'nomatch',
      filter: { subsystem: settings.subsystems },
      deadlineMs: SEARCH_MAX_MS,
      call: async (_event, { devpath, modalias }) =>
        modalias === undefined ? undefined : proposalOf(devpath, await actions.findDrivers(modalias), settings),
    },
  ],
});
