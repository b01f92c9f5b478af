import {
  allow,
  definePlugin,
  deny,
  hold,
  type PluginContext,
  type PluginDevice,
  type PluginVerdict,
  type UsbIdentity,
} from '../../core/plugin-api/index.ts';
import { describeUsb, differences, fromSetting, type KnownDevice } from './known-device.ts';
import { learnedDevices } from './learned-list.ts';
import { allowlistSettings, type AllowlistSettings } from './settings.ts';
import { isHub, isKeyboard, isKeyboardInUse, isRootHub } from './usb-kinds.ts';

/** Goes through all USB devices when a keyboard comes; the usual 200 ms are for less. In milliseconds. */
const DEADLINE_MS = 2000;

/** Lets in the USB devices it knows, and asks about all others. See README.md beside it. */
export default definePlugin({
  name: 'usb-allowlist',
  api: 1,
  summary: 'lets in known USB devices, and asks about others and about a second keyboard',
  settings: allowlistSettings,
  setup: async context => {
    const known = [...context.settings.known.map(fromSetting), ...(await learnedDevices(context))];
    return [
      {
        kind: 'opine',
        onError: 'deny',
        deadlineMs: DEADLINE_MS,
        filter: { subsystem: ['usb'], role: ['target'], asker: ['device'] },
        wants: ['usb'],
        call: ({ asker }) => (asker.kind === 'device' ? judge(asker.device, known, context) : undefined),
      },
    ];
  },
});

async function judge(
  device: PluginDevice,
  known: readonly KnownDevice[],
  context: PluginContext<AllowlistSettings>,
): Promise<PluginVerdict> {
  const { settings } = context;
  const stop = settings.unknown === 'deny' ? deny : hold;
  if (isRootHub(device)) return allow('it is the hub of a USB controller');
  const { usb } = device;
  if (usb === undefined) return stop('its USB descriptors cannot be read, so it may be anything');
  if (settings.hubs === 'allow' && isHub(usb)) return allow('it is a hub and nothing besides');
  const found = known.filter(entry => differences(entry, usb)?.length === 0);
  const [first] = found;
  const second = settings.second_keyboard === 'hold' ? await secondKeyboard(device, usb, found, context) : undefined;
  if (first === undefined) {
    const why = `${describeUsb(usb)} is not among the known devices${likeness(known, usb)}`;
    return stop(second === undefined ? why : `${why}; ${second}`);
  }
  return second === undefined ? allow(`it is the known device ${first.name}`) : hold(second);
}

/** Why a keyboard is to wait, in words: another one is there already, and nobody said that this one may be plugged in beside it. */
async function secondKeyboard(
  device: PluginDevice,
  usb: UsbIdentity,
  found: readonly KnownDevice[],
  context: PluginContext<AllowlistSettings>,
): Promise<string | undefined> {
  // One that works already is no newcomer: usherd was started after it.
  if (!isKeyboard(usb) || (device.devtype === 'usb_interface' && device.driver !== undefined)) return undefined;
  const inUse = [
    ...(await context.devices({ subsystem: 'usb', wants: ['usb'] })),
    ...(await context.devices({ subsystem: 'serio' })),
  ].filter(other => isKeyboardInUse(other) && other.usb?.port !== usb.port);
  const [first] = inUse;
  if (first === undefined) return undefined;
  const where = first.usb === undefined ? 'at the keyboard controller' : `at ${first.usb.port}`;
  const twins = new Set(
    inUse.filter(other => other.usb?.descriptorsSha256 === usb.descriptorsSha256).map(other => other.usb?.port),
  );
  // Each entry stands for one device: two keyboards of one make were learned as two.
  if (twins.size > 0 && twins.size >= found.length)
    return `it is a keyboard that shows itself just as the one at ${[...twins].join(' and ')} does`;
  return found.some(({ beside }) => beside) ? undefined : `it is a second keyboard, one ${where} is there already`;
}

/** Whether it passes itself off as a device that is known: that is worth knowing. */
function likeness(known: readonly KnownDevice[], usb: UsbIdentity): string {
  for (const entry of known) {
    const found = differences(entry, usb);
    if (found !== undefined) return `; it calls itself what ${entry.name} is, but ${found.join(' and ')}`;
  }
  return '';
}
