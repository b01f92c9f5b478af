import type { PluginListing } from '../../plugin-host/plugin-seat.ts';
import { UsherdError } from '../../errors.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const plugin: Verb = {
  name: 'plugin',
  summary: 'list the plugins and how they do, or start one anew',
  description: [
    'list: every plugin there is, on or off: its state, how far it is kept apart from the daemon, each of its hooks with calls, failures and the time they took. Without a daemon it tells what would be found.',
    'restart NAME: starts a plugin anew, also one in quarantine, which failed too often and is not called any more.',
  ],
  arguments: [
    { name: 'action', description: 'list or restart', isRequired: true },
    { name: 'name', description: 'the plugin' },
  ],
  options: [],
  examples: [
    { command: 'usher plugin list', does: 'What runs, and what it costs.' },
    { command: 'usher plugin restart usb-trust', does: 'Lets it out of quarantine.' },
  ],
  run: runPlugin,
};

async function runPlugin([action, name]: readonly string[], _options: OptionValues, caller: Caller): Promise<number> {
  switch (action) {
    case 'list': {
      const { listPlugins } = await import('../plugins/list.ts');
      return listPlugins(caller);
    }
    case 'restart': {
      if (name === undefined) throw new UsherdError('USAGE', 'plugin restart wants the name of a plugin');
      const { askDaemon } = await import('../daemon-call.ts');
      for await (const answer of askDaemon(caller, 'plugin-restart', { name })) {
        const { state, because } = answer as unknown as PluginListing;
        if (caller.isJson) printJson(caller, answer);
        else printLines(caller, [`${name}: ${state}${because === undefined ? '' : `: ${because}`}`]);
        if (state !== 'running') return 1;
      }
      return 0;
    }
    default:
      throw new UsherdError('USAGE', `"${action}" is nothing plugin does; it does list and restart`);
  }
}
