import { UsherdError } from '../../errors.ts';
import { globMatches } from '../../kmod/lookup/glob.ts';
import { findDevices } from '../device-lookup.ts';
import { isSet, listOption, textOption } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

const STATES = ['bound', 'loaded-not-bound', 'matched-not-loaded', 'no-module', 'no-modalias'] as const;

export const devices: Verb = {
  name: 'devices',
  summary: 'list the devices, the driver each has, and the modules that may drive it',
  description: [
    'Walks /sys and looks each MODALIAS up, as the daemon does; it needs no daemon. Five states are told apart: bound; loaded-not-bound (a module that claims the device is there, and no driver took it); matched-not-loaded; no-module (nothing claims it); no-modalias (it does not say what it is).',
  ],
  arguments: [
    {
      name: 'device',
      description: 'devpath, sysfs path, sysname, /dev node or a pattern',
      isVariadic: true,
      completes: 'device',
    },
  ],
  options: [
    { flags: '-t, --tree', description: 'print a tree, each device below its parent' },
    { flags: '-a, --all', description: 'also devices without a modalias' },
    {
      flags: '-s, --subsystem <pattern>',
      description: 'only this subsystem',
      completes: 'subsystem',
      isRepeatable: true,
    },
    { flags: '--state <state>', description: 'only devices in this state', choices: STATES },
  ],
  examples: [
    { command: 'usher devices --tree', does: 'The machine, from the roots down.' },
    { command: 'usher devices --state no-module', does: 'Devices for which this kernel has no driver.' },
  ],
  run: runDevices,
};

async function runDevices(args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { walkSysfs } = await import('../../kernel/sysfs.ts');
  const { deviceOf } = await import('../../pipeline/2-device/read-device.ts');
  const { matchDevice } = await import('../../pipeline/3-match/match-device.ts');
  const report = await import('../../pipeline/8-report/device-report.ts');
  const { openWorld } = await import('../../daemon/module-world.ts');
  const { readInitState } = await import('../../kernel/sys-module.ts');
  const { runningRelease } = await import('../call-verb.ts');
  const { sys } = caller.roots;
  const world = openWorld(caller.roots, caller.release ?? runningRelease());
  const found = args.length === 0 ? walkSysfs(caller.roots) : args.flatMap(word => findDevices(word, caller.roots));
  if (args.length > 0 && found.length === 0) {
    throw new UsherdError('NOT_FOUND', `no device in ${caller.roots.sys} is called ${args.join(' or ')}`, {
      wanted: args,
    });
  }
  const isThere = (module: ModuleName): boolean =>
    readInitState(sys, module, world.tree.isBuiltin(module)) !== undefined;
  const subsystems = listOption(options, 'subsystem');
  const state = textOption(options, 'state');
  const showsAll = isSet(options, 'all') || args.length > 0 || state === 'no-modalias' || isSet(options, 'tree');
  const facts = found
    .filter(({ subsystem }) => subsystems.length === 0 || subsystems.some(pattern => globMatches(pattern, subsystem)))
    .filter(({ modalias }) => showsAll || modalias !== undefined)
    .map(entry => {
      const device = deviceOf(entry);
      const candidates = matchDevice(device, world).map(({ module }) => module);
      return { device, candidates, present: candidates.filter(isThere) };
    })
    .filter(each => state === undefined || report.deviceState(each) === state);
  if (caller.isJson) for (const each of facts) printJson(caller, report.deviceToJson(each));
  else if (isSet(options, 'tree')) printLines(caller, report.formatDeviceTree(facts, terminal(caller)));
  else printLines(caller, report.formatDeviceTable(facts, terminal(caller)));
  return 0;
}
