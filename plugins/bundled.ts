/** A bundled plugin's module, once it is loaded. What its default export is gets looked at as with any other plugin. */
export interface BundledModule {
  readonly default: unknown;
}

/** The plugins that come with usherd, by name. One that is not switched on is not loaded either. */
export const BUNDLED: Readonly<Record<string, () => Promise<BundledModule>>> = {
  blacklist: () => import('./blacklist/index.ts'),
  'driver-override': () => import('./driver-override/index.ts'),
  notify: () => import('./notify/index.ts'),
  'taint-guard': () => import('./taint-guard/index.ts'),
  'unload-unused': () => import('./unload-unused/index.ts'),
  'usb-allowlist': () => import('./usb-allowlist/index.ts'),
  'vendor-driver': () => import('./vendor-driver/index.ts'),
};
