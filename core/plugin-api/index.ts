/** All that a plugin imports, as `usherd/plugin`. */
export { definePlugin, PLUGIN_API, type Plugin } from './plugin.ts';
export { allow, deny, hold, replaceWith, type PluginVerdict } from './verdict.ts';
export { matchingName, matchingPattern } from './pattern.ts';
export type { Filter } from './filter.ts';
export type { PluginDevice, PluginEvent, UsbIdentity } from './device.ts';
export type {
  AfterLoadHook,
  Fact,
  Hook,
  HookKind,
  ModuleTraits,
  NomatchHook,
  ObserveHook,
  OpineHook,
  PluginAsker,
  PluginHandled,
  PluginQuestion,
  PluginReport,
  Proposal,
  ReportHook,
} from './hooks.ts';
export type {
  FoundDriver,
  Json,
  Need,
  PluginActions,
  PluginContext,
  PluginLog,
  PluginStore,
  StopReason,
  UnloadAnswer,
} from './context.ts';
export type { StandardSchema } from './standard-schema.ts';
