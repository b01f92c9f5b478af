import * as v from 'valibot';
import { patterns } from '../setting-values.ts';

/** Buses whose devices name their maker, so that a package can name them. What ACPI or the platform describes mostly needs no driver. */
const SUBSYSTEMS = ['pci', 'usb', 'sdio', 'pcmcia', 'hid', 'firewire', 'virtio', 'hdaudio', 'bcma', 'ssb'];

/** What `plugins/vendor-driver.toml` may say. */
export const vendorDriverSettings = v.strictObject({
  subsystems: v.optional(patterns, SUBSYSTEMS),
  free_only: v.optional(v.boolean(), false),
});

export type VendorDriverSettings = v.InferOutput<typeof vendorDriverSettings>;
