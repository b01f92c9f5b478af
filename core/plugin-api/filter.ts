/**
 * Which events or questions a hook is called for. usherd looks at it before it calls, so what nobody asked for costs nothing. Every key
 * that is there must match; within a key one of the values must. Texts are patterns of fnmatch(3): `*`, `?`, `[a-f]`.
 */
export interface Filter {
  /** Of an event: `['add', 'bind']`. */
  readonly action?: readonly string[];
  /** Of the device: `['usb', 'pci']`. */
  readonly subsystem?: readonly string[];
  readonly modalias?: readonly string[];
  readonly devpath?: readonly string[];
  /** Of a question: the module it is about. Of a device that was handled: one of those it wanted. */
  readonly module?: readonly string[];
  /** Of a question: `target` is what the device asked for, the others come along with it. */
  readonly role?: readonly ('target' | 'dependency' | 'softdep')[];
  /** Of a question: who wants the module. */
  readonly asker?: readonly ('device' | 'kernel' | 'administrator')[];
}
