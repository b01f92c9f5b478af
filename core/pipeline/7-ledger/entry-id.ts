/** An entry: one uevent and all that came of it. Ids grow with time, with gaps. */
export type EntryId = number & { readonly __brand: 'EntryId' };
