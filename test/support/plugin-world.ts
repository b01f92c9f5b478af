import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import type { Device } from '../../core/pipeline/2-device/device.ts';
import type { Opinion } from '../../core/pipeline/4-policy/opinion.ts';
import type { Question } from '../../core/pipeline/4-policy/question.ts';
import type { Incident } from '../../core/pipeline/7-ledger/incident.ts';
import { jailTools } from '../../core/daemon/jail-tools.ts';
import { noFacts } from '../../core/plugin-host/fact-reader.ts';
import { PluginHost, type PluginHostParts } from '../../core/plugin-host/plugin-host.ts';
import { modalias } from '../../core/vocabulary/modalias.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';

/** A folder of configuration with plugins in it, a host over it, and what the host said. */
export interface PluginWorld {
  readonly configDir: string;
  readonly stateDir: string;
  readonly host: PluginHost;
  readonly notices: string[];
  readonly incidents: Incident[];
  /** Makes a file below `plugins/`, as root would have it. */
  write(name: string, text: string): void;
  remove(name: string): void;
  /** What the plugins say of this module, which a USB stick asks for. */
  ask(module?: string): Promise<readonly Opinion[]>;
}

/** Both ends of the path are the test's own, so that nobody else can write there; the host is stopped with the test. */
export function pluginWorld(t: ExecutionContext, parts: Partial<PluginHostParts> = {}): PluginWorld {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-plugins-')));
  chmodSync(folder, 0o755);
  const [configDir, stateDir] = [path.join(folder, 'etc'), path.join(folder, 'state')];
  mkdirSync(path.join(configDir, 'plugins'), { recursive: true, mode: 0o755 });
  const notices: string[] = [];
  const incidents: Incident[] = [];
  const host = new PluginHost({
    configDirs: [configDir],
    stateDir,
    uid: process.getuid?.() ?? 0,
    bundled: {},
    facts: noFacts(() => undefined),
    actions: {
      overrideDriver: async (devpath, driver) => void notices.push(`override ${devpath} ${driver}`),
      unload: async module => ({ unloaded: [module] }),
      findDrivers: async () => [],
    },
    devices: async () => [],
    jail: jailTools(),
    notice: (level, message) => void notices.push(`${level}: ${message}`),
    incident: incident => void incidents.push(incident),
    isDriven: () => false,
    limitReached: (limit, bound) => void notices.push(`limit: ${limit} ${bound}`),
    ...parts,
  });
  t.teardown(async () => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (name: string): string => path.join(configDir, 'plugins', name);
  return {
    configDir,
    stateDir,
    host,
    notices,
    incidents,
    write: (name, text) => {
      mkdirSync(path.dirname(at(name)), { recursive: true, mode: 0o755 });
      writeFileSync(at(name), text, { mode: 0o644 });
    },
    remove: name => rmSync(at(name), { recursive: true, force: true }),
    ask: async module => host.opinions.opinionsOn(stickAsks(module)),
  };
}

const STICK = modalias('usb:v0951p1666d0110dc00dsc00dp00ic08isc06ip50in00');

export const STICK_DEVICE: Device = {
  devpath: '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0' as Devpath,
  subsystem: 'usb',
  devtype: 'usb_interface',
  modalias: STICK,
};

export const STICK_ADDED: Uevent = {
  action: 'add',
  devpath: STICK_DEVICE.devpath,
  subsystem: 'usb',
  env: { MODALIAS: STICK },
  origin: { kind: 'kernel' },
  receivedAtMs: 1_700_000_000_000,
};

/** May this module load for the stick? */
export function stickAsks(module = 'usb_storage', role: Question['role'] = 'target'): Question {
  const name = moduleName(module);
  return {
    module: name,
    role,
    candidate: {
      module: name,
      match: { module: name, source: 'modules.alias', pattern: 'usb:v*ic08*', place: { file: 'modules.alias' } },
    },
    asker: { kind: 'device', device: STICK_DEVICE, event: STICK_ADDED },
  };
}

/** Text of a plugin with one opinion hook whose body is this. */
export function opiningPlugin(
  name: string,
  body: string,
  { onError = 'deny', more = '', deadlineMs = 10_000 } = {},
): string {
  return [
    `import { definePlugin, deny, allow, hold, replaceWith } from 'usherd/plugin';`,
    `export default definePlugin({ name: '${name}', api: 1, ${more}`,
    `  setup({ settings, log, store, actions, devices, signal, onStop }) {`,
    `    return [{ kind: 'opine', onError: '${onError}', deadlineMs: ${deadlineMs}, async call(question, signal) { ${body} } }];`,
    `  } });`,
  ].join('\n');
}
