import type { Verb } from '../verb.ts';
import { whyUsage } from './why-usage.ts';

export const why: Verb = {
  ...whyUsage,
  run: async (...given) => (await import('../explain-subject.ts')).explainSubject(...given),
};
