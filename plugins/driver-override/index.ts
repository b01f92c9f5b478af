import { definePlugin, replaceWith } from '../../core/plugin-api/index.ts';
import { OverrideKeeper } from './override-keeper.ts';
import { overrideSettings } from './settings.ts';
import { entryFor, filterFor, moduleOf } from './wanted-driver.ts';

/** A driver may take its time to let go of a device, and another to load; nobody waits for it. In milliseconds. */
const DEADLINE_MS = 60_000;

/** Keeps devices for a driver that would not get them by itself: vfio-pci, for instance. See README.md beside it. */
export default definePlugin({
  name: 'driver-override',
  api: 1,
  summary: 'keeps devices for the drivers that its settings name',
  needs: ['drivers'],
  settings: overrideSettings,
  setup: context => {
    const { devices: entries } = context.settings;
    const keeper = new OverrideKeeper(entries, context);
    context.onStop(reason => (reason === 'removed' ? keeper.undoAll() : undefined));
    // Only once these hooks are called: a device that is given back asks for its driver, and must not be answered by those from before.
    const soon = setImmediate(() => void keeper.reconcile());
    context.onStop(() => clearImmediate(soon));
    if (entries.length === 0) return [];
    const filter = filterFor(entries);
    return [
      {
        kind: 'observe',
        deadlineMs: DEADLINE_MS,
        filter: { ...filter, action: ['add'] },
        call: async ({ devpath, subsystem, env }) => {
          const modalias = env['MODALIAS'];
          const isWanted =
            entryFor(entries, { devpath, ...(modalias === undefined ? {} : { modalias }) }) !== undefined;
          if (isWanted) await keeper.added(devpath, subsystem);
        },
      },
      {
        kind: 'observe',
        deadlineMs: DEADLINE_MS,
        filter: { action: ['remove'] },
        call: ({ devpath }) => keeper.removed(devpath),
      },
      {
        // What the device would get otherwise is not even loaded.
        kind: 'opine',
        onError: 'abstain',
        filter: { ...filter, role: ['target'], asker: ['device'] },
        call: ({ module, asker }) => {
          const entry = asker.kind === 'device' ? entryFor(entries, asker.device) : undefined;
          const wanted = entry === undefined ? undefined : moduleOf(entry);
          return entry === undefined || wanted === undefined || wanted === module
            ? undefined
            : replaceWith(wanted, `the device is kept for ${entry.driver}`);
        },
      },
    ];
  },
});
