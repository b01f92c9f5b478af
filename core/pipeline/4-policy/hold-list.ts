import type { OpinionSource } from './question.ts';
import { matchingPattern, type PolicySettings } from './policy-settings.ts';

/**
 * `hold = […]`: a device whose modalias matches, or that asks for a module of this name, waits until an administrator has answered.
 * Only devices wait: the kernel cannot be kept waiting, and an administrator who asks is the one that would be asked.
 */
export function holdList(settings: () => PolicySettings): OpinionSource {
  return {
    name: 'usherd.toml',
    opinionsOn({ module, asker, role }) {
      const { hold } = settings();
      if (hold.length === 0 || asker.kind !== 'device') return [];
      const { modalias } = asker.device;
      const byDevice = role === 'target' && modalias !== undefined ? matchingPattern(hold, modalias) : undefined;
      const pattern = byDevice ?? matchingPattern(hold, module);
      if (pattern === undefined) return [];
      return [{ verdict: 'hold', module, by: 'usherd.toml', reason: `hold has "${pattern}": it waits for an answer` }];
    },
  };
}
