import * as v from 'valibot';
import { text } from '../setting-values.ts';

const entry = v.pipe(
  v.strictObject({
    devpath: v.optional(
      v.pipe(v.string(), v.startsWith('/devices/', 'wanted a path below /sys, as "/devices/pci0000:00/*"')),
    ),
    modalias: v.optional(text),
    id: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/, 'wanted VENDOR:DEVICE as lspci -n prints it, "10de:1b80"'),
      ),
    ),
    address: v.optional(text),
    driver: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.+-]{1,64}$/, 'wanted the name of a driver, as "vfio-pci"')),
    module: v.optional(
      v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'wanted the name of a module, as "vfio_pci"')),
    ),
  }),
  v.check(
    ({ devpath, modalias, id, address }) => [devpath, modalias, id, address].some(key => key !== undefined),
    'it names no devpath, modalias, id or address, and would take every device',
  ),
);

/** What `plugins/driver-override.toml` may say. */
export const overrideSettings = v.strictObject({ devices: v.optional(v.array(entry), []) });

export type OverrideEntry = v.InferOutput<typeof entry>;
