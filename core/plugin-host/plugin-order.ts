/** Orders beyond it are a slip of the keyboard. */
export const ORDER_MAX = 1000;

/** Whether a value can say where a plugin stands among the others. */
export function isOrder(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ORDER_MAX;
}
