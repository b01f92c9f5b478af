/** Closes a switch over a union: a new kind that is not handled fails to compile; should one arrive all the same, it is a bug. */
export function assertNever(value: never): never {
  throw new Error(`bug: unhandled case ${JSON.stringify(value)}`);
}
