/** The plugins that come with usherd, by name. One is loaded when it is switched on. */
export const BUNDLED: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>> = {};
