import * as v from 'valibot';

/** A text that says something. */
export const text = v.pipe(v.string(), v.nonEmpty('it is empty'));

/** A list of patterns of fnmatch(3) with at least one in it: an empty list would mean either nothing or everything. */
export const patterns = v.pipe(
  v.array(text),
  v.minLength(1, 'the list is empty: leave the key out, or name something'),
);

/** Four hexadecimal digits, as lsusb and lspci print them. */
export const hexId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{4}$/, 'wanted four hexadecimal digits, as "046d"'),
  v.toLowerCase(),
);
