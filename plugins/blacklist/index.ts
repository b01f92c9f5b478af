import { definePlugin, deny, hold, type Filter, type Hook, type PluginVerdict } from '../../core/plugin-api/index.ts';
import { askedOf, whyStopped } from './rule-test.ts';
import { blacklistSettings, type BlacklistRule } from './settings.ts';

/** Keeps modules from loading by name, by modalias, by bus, by port, at some times of the day. See README.md beside it. */
export default definePlugin({
  name: 'blacklist',
  api: 1,
  summary: 'stops modules by name, modalias, bus, port and time of day',
  settings: blacklistSettings,
  setup: ({ settings: { rules } }) => {
    const onModules = rules.filter(({ modules }) => modules !== undefined);
    const onDevices = rules.filter(({ modules }) => modules === undefined);
    const names = onModules.flatMap(({ modules = [] }) => modules);
    return [
      ...hookFor(onModules, names.length > FILTER_PATTERNS_MAX ? {} : { module: names }),
      ...hookFor(onDevices, { role: ['target'] }),
    ];
  },
});

/** Beyond it a filter is no gain: usherd takes no longer one, and goes through it for each question. */
const FILTER_PATTERNS_MAX = 1000;

/** One hook for rules that can share a filter, so that a question costs one call at most. */
function hookFor(rules: readonly BlacklistRule[], filter: Filter): readonly Hook[] {
  if (rules.length === 0) return [];
  return [
    {
      kind: 'opine',
      onError: 'deny',
      filter,
      call: question => {
        const { asker } = question;
        // A recorded event is judged by the time it came at, so that a simulation says what would have been.
        const at = new Date(asker.kind === 'device' ? (asker.event?.receivedAtMs ?? Date.now()) : Date.now());
        const asked = askedOf(question);
        return strictest(
          rules.flatMap(rule => {
            const why = whyStopped(rule, asked, at);
            return why === undefined ? [] : [rule.verdict === 'hold' ? hold(why) : deny(why)];
          }),
        );
      },
    },
  ];
}

function strictest(verdicts: readonly PluginVerdict[]): PluginVerdict | undefined {
  return verdicts.find(({ verdict }) => verdict === 'deny') ?? verdicts[0];
}
