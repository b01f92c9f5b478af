import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RoffPage } from '../../core/cli/docs/roff.ts';
import { VERSION } from '../../core/version.ts';

const top = path.resolve(import.meta.dirname, '../..');

/** Kinds of hooks, what each is for, and the file with its example: one that is compiled and run as a test. */
export const HOOK_EXAMPLES = [
  {
    kind: 'observe',
    file: 'observe.ts',
    does: "sees every event that its filter lets through, beside the event's way.",
  },
  {
    kind: 'opine',
    file: 'opine.ts',
    does: "says deny, hold, allow or replaceWith of a module, or nothing. It is in the event's way: the module loads once all have answered. onError says what counts when it fails, is late or answers nonsense.",
  },
  {
    kind: 'nomatch',
    file: 'nomatch.ts',
    does: 'is called for a device that no module claims, and may propose where a driver is to be had.',
  },
  { kind: 'afterLoad', file: 'after-load.ts', does: 'is called once at least one module was inserted for a device.' },
  {
    kind: 'report',
    file: 'report.ts',
    does: 'is told of everything that was decided and of every notice, to pass it on.',
  },
] as const;

export const PLUGINS_PAGE_FILE = 'contrib/man/usherd-plugins.7';

/** usherd-plugins(7), with the examples as they stand in their files. */
export function pluginsPage(): string {
  const page = new RoffPage('usherd-plugins', 7, VERSION)
    .section('name')
    .paragraph('usherd-plugins - policy written in TypeScript')
    .section('description')
    .paragraph(
      'A plugin is a file whose default export is definePlugin({...}) from usherd/plugin. NAME.ts or NAME/index.ts in the folder plugins of a configuration folder of usherd (/etc/usherd) just runs; those that come with usherd, and packages with "usherd": { "plugin": "./file.js" } in their package.json, run once there is a NAME.toml for them in plugins.',
    )
    .paragraph(
      'What is not part of usherd runs in a jail: a process without privileges, network or files but its own, bounded in memory and time. The file, its folder and all folders above it must belong to root and be writable by nobody else.',
    )
    .section('settings')
    .paragraph('plugins/NAME.toml:')
    .item('enabled', 'true or false; true when the file is there.')
    .item(
      'required',
      'true or false: while the plugin does not run, nothing that is asked for is loaded. False when absent.',
    )
    .item('order', 'Plugins are asked in order of this number, then of their names; 50 when absent.')
    .item('grant', 'What the plugin needs and is given: "drivers", "unload", "net", "search", "read:/PATH".')
    .item(
      '[settings]',
      "What the plugin's own schema wants. Any library with Standard Schema will do; usherd/schema is valibot.",
    )
    .section('making one')
    .paragraph(
      'usher plugin new NAME makes a folder with a policy and its test; usher plugin check and usher plugin test look at it; usher plugin list tells how it does in the daemon.',
    )
    .paragraph(
      'A plugin has a name, api: 1, and either hooks, or setup(context) that makes them from its settings, store, log, actions and devices. A filter is looked at before a hook is called, so that what nobody asked for costs nothing. Facts that cost something are named in wants: traits (licence, signer and taints of a module), usb (identity of a USB device), attr:NAME (an attribute in sysfs).',
    )
    .section('hooks');
  for (const { kind, file, does } of HOOK_EXAMPLES)
    page.subsection(kind).paragraph(`${kind} ${does}`).literal(readExample(file));
  return page
    .section('testing')
    .paragraph(
      'startPlugin(plugin, { settings, devices, store, grants }) from usherd/plugin-test runs a plugin in a test of its own: opine, observe, nomatch, afterLoad and report call its hooks through their filters, and log, store and actions tell what it did.',
    )
    .section('see also')
    .paragraph('usher(1), usherd(8), usherd.toml(5)')
    .toString();
}

function readExample(file: string): readonly string[] {
  return readFileSync(path.join(top, 'contrib/examples/hooks', file), 'utf8')
    .trimEnd()
    .split('\n');
}
