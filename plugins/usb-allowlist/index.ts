import {
  allow,
  definePlugin,
  deny,
  hold,
  type PluginDevice,
  type PluginVerdict,
  type UsbIdentity,
} from '../../core/plugin-api/index.ts';
import { KeyboardWatch } from './keyboard-watch.ts';
import { describeUsb, differences, fromSetting, type KnownDevice } from './known-device.ts';
import { tellOpenGate } from './open-gate.ts';
import { learnedDevices } from './learned-list.ts';
import { allowlistSettings, type AllowlistSettings } from './settings.ts';
import { isHub, isRootHub } from './usb-kinds.ts';

/** Goes through all USB devices when a keyboard comes; the usual 200 ms are for less. In milliseconds. */
const DEADLINE_MS = 2000;

/** Lets in the USB devices it knows, and asks about all others. See README.md beside it. */
export default definePlugin({
  name: 'usb-allowlist',
  api: 1,
  summary: 'lets in known USB devices, and asks about others and about a second keyboard',
  settings: allowlistSettings,
  setup: async context => {
    const { settings } = context;
    const keyboards = new KeyboardWatch(context);
    await tellOpenGate(context);
    const known = [...settings.known.map(fromSetting), ...(await learnedDevices(context))];
    return [
      {
        kind: 'opine',
        onError: 'deny',
        deadlineMs: DEADLINE_MS,
        filter: { subsystem: ['usb'], role: ['target'], asker: ['device'] },
        wants: ['usb'],
        call: ({ asker }) => (asker.kind === 'device' ? judge(asker.device, known, settings, keyboards) : undefined),
      },
    ];
  },
});

async function judge(
  device: PluginDevice,
  known: readonly KnownDevice[],
  settings: AllowlistSettings,
  keyboards: KeyboardWatch,
): Promise<PluginVerdict> {
  const stop = settings.unknown === 'deny' ? deny : hold;
  if (isRootHub(device)) return allow('it is the hub of a USB controller');
  const { usb } = device;
  if (usb === undefined) return stop('its USB descriptors cannot be read, so it may be anything');
  if (settings.hubs === 'allow' && isHub(usb)) return allow('it is a hub and nothing besides');
  const found = known.filter(entry => differences(entry, usb)?.length === 0);
  const [first] = found;
  const second = settings.second_keyboard === 'hold' ? await keyboards.whySecond(device, usb, found) : undefined;
  if (first === undefined) {
    const why = `${describeUsb(usb)} is not among the known devices${likeness(known, usb)}`;
    return stop(second === undefined ? why : `${why}; ${second}`);
  }
  if (second !== undefined) return hold(second);
  keyboards.admitted(usb);
  return allow(`it is the known device ${first.name}`);
}

/** Whether it passes itself off as a device that is known: that is worth knowing. */
function likeness(known: readonly KnownDevice[], usb: UsbIdentity): string {
  for (const entry of known) {
    const found = differences(entry, usb);
    if (found !== undefined) return `; it calls itself what ${entry.name} is, but ${found.join(' and ')}`;
  }
  return '';
}
