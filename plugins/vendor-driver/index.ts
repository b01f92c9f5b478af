import { definePlugin } from '../../core/plugin-api/index.ts';
import { proposalOf } from './proposal.ts';
import { vendorDriverSettings } from './settings.ts';

/** A search of all indexes on a slow machine that has just started, and one that was under way before, in ms. It is in nobody's way. */
const SEARCH_MAX_MS = 600_000;

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
