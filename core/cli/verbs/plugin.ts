import type { PluginListing } from '../../plugin-host/plugin-seat.ts';
import { UsherdError } from '../../errors.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const plugin: Verb = {
  name: 'plugin',
  summary: 'list the plugins and how they do, start one anew, or make, check and test one',
  description: [
    'list: every plugin there is, on or off: its state, how far it is kept apart from the daemon, each of its hooks with calls, failures and the time they took. Without a daemon it tells what would be found.',
    'restart NAME: starts a plugin anew, also one in quarantine, which failed too often and is not called any more.',
    'new NAME: makes the folder of a new plugin: a small policy in TypeScript, its settings, and a recording with what the plugin must say to it.',
    "check [DIR]: type-checks a plugin with the TypeScript compiler that is there (the plugin's, usherd's, or one on the PATH; it says so when there is none), has it started in its jail, and validates NAME.toml of that folder or of the configuration.",
    "test [DIR]: plays every recording of the plugin's test folder with the plugin in its jail, and compares what it says with NAME.expected.toml beside the recording. Modules are those of test/root where that is there. Of a recorded device the plugin is told what its events say, not its attributes or USB descriptors; and of a module what its file in test/root says, if there is one. A recording may have settings of its own, NAME.toml beside it.",
  ],
  exitStatuses: { 1: 'the plugin does not run, a check found something, or a test differs' },
  arguments: [
    { name: 'action', description: 'list, restart, new, check or test', isRequired: true },
    {
      name: 'name',
      description: 'the plugin; of check and test its folder or file, by default this folder',
      completes: 'file',
    },
  ],
  options: [
    {
      flags: '--dir <dir>',
      description: 'with new: where its folder is made, by default here',
      completes: 'directory',
    },
    { flags: '--update', description: 'with test: write what the plugin says now as what it must say' },
  ],
  examples: [
    { command: 'usher plugin list', does: 'What runs, and what it costs.' },
    { command: 'usher plugin restart usb-trust', does: 'Lets it out of quarantine.' },
    { command: 'usher plugin new quiet-hours', does: 'A policy to begin with, and its test.' },
    { command: 'usher plugin test quiet-hours', does: 'Whether it still says what it must.' },
  ],
  run: runPlugin,
};

async function runPlugin([action, name]: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
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
    case 'new': {
      const { newPlugin } = await import('../plugins/new-plugin.ts');
      return newPlugin(name, options, caller);
    }
    case 'check': {
      const { checkPlugin } = await import('../plugins/check-plugin.ts');
      return checkPlugin(name, caller);
    }
    case 'test': {
      const { testPlugin } = await import('../plugins/test-plugin.ts');
      return testPlugin(name, options, caller);
    }
    default:
      throw new UsherdError('USAGE', `"${action}" is nothing plugin does; it does list, restart, new, check and test`);
  }
}
