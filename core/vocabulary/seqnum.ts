/** Number the kernel gives each uevent, one counter for the whole machine (u64). Source: lib/kobject_uevent.c, uevent_seqnum. */
export type Seqnum = bigint & { readonly __brand: 'Seqnum' };

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Decimal text → a seqnum, or undefined when it is not a positive u64. The kernel never sends 0. */
export function parseSeqnum(text: string): Seqnum | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value === 0n || value > U64_MAX ? undefined : (value as Seqnum);
}
