import { UsherdError } from '../../errors.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { isSet } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const replay: Verb = {
  name: 'replay',
  summary: 'play a recording through the whole path and explain what it leads to',
  description: [
    'The events of the recording go through matching, policy and planning as on a machine; modules are not loaded but noted as if they were. Nothing on this machine changes, and no root is needed. With --root the module tree and configuration of a fixture or of another system decide.',
    'Each event that asked for a driver is explained.',
  ],
  arguments: [{ name: 'recording', description: 'a file usher record made', isRequired: true, completes: 'file' }],
  options: [
    { flags: '--paced', description: 'with the pauses it was recorded with' },
    { flags: '-a, --all', description: 'explain also the events that asked for no driver' },
  ],
  examples: [
    { command: 'usher replay stick.uevents', does: 'What these events would lead to on this machine.' },
    {
      command: 'usher replay stick.uevents --root /mnt/other',
      does: 'The same with the modules and configuration of another disk.',
    },
  ],
  run: runReplay,
};

async function runReplay([file = '']: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { replayRecording } = await import('../../daemon/replay.ts');
  const explain = await import('../../pipeline/8-report/explain.ts');
  const { explainRecorded } = await import('../why-explanations.ts');
  const { entries, problems, rejections, losses, mind, world } = await replayRecording(file, {
    roots: caller.roots,
    release: caller.release,
    isPaced: isSet(options, 'paced'),
    signal: caller.signal,
    notice: message => void caller.stderr.write(`usher: ${message}\n`),
  });
  if (!world.hasTree) {
    throw new UsherdError(
      'NOT_FOUND',
      `no module tree for the recording's kernel: looked for ${world.lookedIn.join(' and ')}`,
      {
        lookedIn: world.lookedIn,
      },
    );
  }
  for (const problem of [...problems, ...world.problems]) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  for (const { reason } of rejections) caller.stderr.write(`usher: rejected: ${reason}\n`);
  for (const { kind, dropped } of losses)
    caller.stderr.write(`usher: events lost here (${kind}${dropped === undefined ? '' : `, ${dropped}`})\n`);
  const told = entries.filter(({ deliberation }) => deliberation !== undefined || isSet(options, 'all'));
  for (const [index, entry] of told.entries()) {
    const explanation = explainRecorded(entry, mind);
    if (caller.isJson) printJson(caller, explain.explanationToJson(explanation));
    else
      printLines(caller, [...(index === 0 ? [] : ['']), ...explain.formatExplanation(explanation, terminal(caller))]);
  }
  return 0;
}
