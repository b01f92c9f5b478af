/** `KEY=VALUE` as an event or a uevent file has them: in the order they came, and nothing else is in it. */
export type Variables = Record<string, string>;

// An object without a prototype would do, but V8 keeps such a one as a hash table, which takes thrice the memory and longer.
const Empty = function Empty() {} as unknown as new () => Variables;
Empty.prototype = Object.freeze(Object.create(null));

/** An object that inherits nothing, so that any key may be put into it and none is there by itself. */
export function noVariables(): Variables {
  return new Empty();
}
