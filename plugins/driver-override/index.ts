import { definePlugin, replaceWith } from '../../core/plugin-api/index.ts';
import { OverrideKeeper } from './override-keeper.ts';
import { overrideSettings } from './settings.ts';
import { entryFor, filterFor, moduleOf } from './wanted-driver.ts';

/** Keeps devices for a driver that would not get them by itself: vfio-pci, for instance. See README.md beside it. */
export default definePlugin({
  name: 'driver-override',
  api: 1,
  summary: 'keeps devices for the drivers that its settings name',
  needs: ['drivers'],
  settings: overrideSettings,
  setup: async context => {
    const { devices: entries } = context.settings;
    const keeper = new OverrideKeeper(entries, context);
    context.onStop(reason => (reason === 'removed' ? keeper.undoAll() : undefined));
    await keeper.reconcile();
    if (entries.length === 0) return [];
    const filter = filterFor(entries);
    return [
      {
        kind: 'observe',
        filter: { ...filter, action: ['add'] },
        call: async ({ devpath, subsystem, env }) => {
          const modalias = env['MODALIAS'];
          const isWanted =
            entryFor(entries, { devpath, ...(modalias === undefined ? {} : { modalias }) }) !== undefined;
          if (isWanted) await keeper.added(devpath, subsystem);
        },
      },
      { kind: 'observe', filter: { action: ['remove'] }, call: ({ devpath }) => keeper.removed(devpath) },
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
