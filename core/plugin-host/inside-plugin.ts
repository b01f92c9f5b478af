import type { RunningPlugin } from './running-plugin.ts';
import { startDefinition, type NotStarted, type Surroundings } from './start-definition.ts';

/** Runs a plugin that comes with usherd in this very process. */
export async function startInside(
  definition: unknown,
  settings: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<RunningPlugin | NotStarted> {
  const started = await startDefinition(definition, settings, surroundings);
  if ('wrong' in started) return started;
  return { ...started, isolation: 'inside', late: () => undefined };
}
