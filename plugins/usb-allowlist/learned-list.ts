import * as v from 'valibot';
import type { PluginContext, PluginDevice, UsbIdentity } from '../../core/plugin-api/index.ts';
import { isHub, isRootHub } from './usb-kinds.ts';
import { nameOf, type KnownDevice } from './known-device.ts';
import type { AllowlistSettings } from './settings.ts';

/** Where in the store is written for which value of `learn` a list was made. */
const LEARNED_KEY = 'learned';
const DEVICE_PREFIX = 'device:';

/** A learned device as the store has it. */
const learnedDevice = v.object({
  name: v.string(),
  vendor: v.string(),
  product: v.string(),
  interfaces: v.array(v.string()),
  descriptors: v.string(),
  serial: v.optional(v.string()),
  port: v.string(),
  learnedAt: v.string(),
});

type Context = PluginContext<AllowlistSettings>;

/**
 * The devices that were there when the list was made; it is made now when it has not been made yet for this value of `learn`. What cannot
 * be read back is left out, with a warning.
 */
export async function learnedDevices(context: Context): Promise<readonly KnownDevice[]> {
  const { settings, store, log } = context;
  if (settings.learn !== false) await learnOnce(context, settings.learn === true ? 'first' : settings.learn);
  const devices: KnownDevice[] = [];
  for (const key of await store.keys()) {
    if (!key.startsWith(DEVICE_PREFIX)) continue;
    const stored = v.safeParse(learnedDevice, await store.get(key));
    if (!stored.success) {
      log.warn(`the store's ${key} is no device that was learned; it is left out`);
      continue;
    }
    const { serial, port, learnedAt: _, ...rest } = stored.output;
    const alsoSerial = settings.also_compare.includes('serial') && serial !== undefined;
    devices.push({
      ...rest,
      beside: true,
      ...(alsoSerial ? { serial } : {}),
      ...(settings.also_compare.includes('port') ? { ports: [port] } : {}),
    });
  }
  return devices;
}

async function learnOnce(context: Context, occasion: string): Promise<void> {
  const { store, log } = context;
  if ((await store.get(LEARNED_KEY)) === occasion) return;
  const found = (await context.devices({ subsystem: 'usb', wants: ['usb'] })).filter(isWorthKnowing);
  for (const { usb } of found) {
    await store.set(keyOf(usb), {
      name: nameOf(usb),
      vendor: usb.vendor,
      product: usb.product,
      interfaces: usb.interfaces,
      descriptors: usb.descriptorsSha256,
      ...(usb.serial === undefined ? {} : { serial: usb.serial }),
      port: usb.port,
      learnedAt: new Date().toISOString(),
    });
    log.info(`learned ${nameOf(usb)} (${usb.vendor}:${usb.product}) at ${usb.port}`);
  }
  await store.set(LEARNED_KEY, occasion);
  log.info(`${found.length} USB devices that are here are known from now on`);
}

function isWorthKnowing(device: PluginDevice): device is PluginDevice & { readonly usb: UsbIdentity } {
  return device.devtype === 'usb_device' && device.usb !== undefined && !isRootHub(device) && !isHub(device.usb);
}

function keyOf({ vendor, product, descriptorsSha256, port }: UsbIdentity): string {
  return `${DEVICE_PREFIX}${vendor}:${product}:${descriptorsSha256.slice(0, 32)}:${port}`;
}
