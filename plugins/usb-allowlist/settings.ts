import * as v from 'valibot';
import { hexId, patterns, text } from '../setting-values.ts';

/** Fewer hexadecimal digits of a SHA-256 could be met by another device on purpose. */
const DESCRIPTORS_MIN_DIGITS = 32;

const known = v.strictObject({
  name: v.optional(text),
  vendor: hexId,
  product: hexId,
  interfaces: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.regex(/^[0-9a-fA-F*?]{1,2}:[0-9a-fA-F*?]{1,2}:[0-9a-fA-F*?]{1,2}$/, 'wanted CC:SS:PP, as "08:06:50"'),
        v.toLowerCase(),
      ),
    ),
    v.minLength(1, 'the list is empty: a device without interfaces does nothing'),
  ),
  descriptors: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[0-9a-fA-F]{32,64}$/, `wanted ${DESCRIPTORS_MIN_DIGITS} to 64 hexadecimal digits of their SHA-256`),
      v.toLowerCase(),
    ),
  ),
  serial: v.optional(text),
  port: v.optional(patterns),
  beside: v.optional(v.boolean(), false),
});

/** What `plugins/usb-allowlist.toml` may say. */
export const allowlistSettings = v.strictObject({
  known: v.optional(v.array(known), []),
  learn: v.optional(v.union([v.boolean(), text]), true),
  also_compare: v.optional(v.array(v.picklist(['serial', 'port'])), []),
  unknown: v.optional(v.picklist(['hold', 'deny']), 'hold'),
  hubs: v.optional(v.picklist(['allow', 'known']), 'allow'),
  second_keyboard: v.optional(v.picklist(['hold', 'as-any']), 'hold'),
});

export type KnownSetting = v.InferOutput<typeof known>;
export type AllowlistSettings = v.InferOutput<typeof allowlistSettings>;
