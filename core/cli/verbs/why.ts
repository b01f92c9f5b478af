import { existsSync } from 'node:fs';
import path from 'node:path';
import type { History } from '../../pipeline/7-ledger/history.ts';
import { isSet } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const why: Verb = {
  name: 'why',
  summary: 'explain why a device has the driver it has, or none; or what a module or modalias leads to',
  description: [
    'Tells the whole path: the event, the alias line with its file and line, each opinion and who holds it, the plan, what the kernel answered and what that means, and whether a driver took the device. What is absent is said too: no modalias, nothing that claims it, a denial, a refusal.',
    'Of a plan that is made now for the running kernel it is said what can be seen beforehand: signatures it wants, vermagic, modules and firmware that are absent, parameters, and how the kernel would be tainted. modprobe --why looks at symbols, too.',
    'What the ledger has of the device is told; a device the ledger does not know, or any with --now, is thought through afresh, as the daemon would, without doing anything. It works without a daemon.',
  ],
  arguments: [
    {
      name: 'subject',
      description: 'a device (devpath, sysfs path, sysname, /dev node), a module, or a modalias',
      isRequired: true,
      completes: 'device',
    },
  ],
  options: [{ flags: '--now', description: 'think it through afresh, whatever the ledger says' }],
  examples: [
    { command: 'usher why 0000:00:1f.2', does: 'Why this PCI device has the driver it has.' },
    {
      command: 'usher why pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
      does: 'What would drive such a device.',
    },
    { command: 'usher why nouveau', does: 'Where the module is, who claims it, what the configuration says of it.' },
  ],
  run: runWhy,
};

/** Acts by hand that may name a module and not be on it: a word, a parameter's value. */
const BY_HAND_MAX = 16;

async function runWhy([word = '']: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { openObserver } = await import('../../daemon/observer.ts');
  const { runningRelease } = await import('../call-verb.ts');
  const release = caller.release ?? runningRelease();
  await using observer = await openObserver(
    caller.roots,
    release,
    message => void caller.stderr.write(`usher: ${message}\n`),
  );
  const { whySubject } = await import('../why-subject.ts');
  const explain = await import('../../pipeline/8-report/explain.ts');
  const { explainDevice, explainEntry, explainModalias } = await import('../why-explanations.ts');
  const { planFindings } = await import('../plan-findings.ts');
  const place = { roots: caller.roots, tree: observer.world().tree };
  const subject = whySubject(word, caller.roots, observer.world());
  if (subject.kind === 'module') {
    const { explainModule } = await import('../why-module.ts');
    const { formatModule, moduleToJson } = await import('../../pipeline/8-report/module-report.ts');
    const explained = await explainModule(subject.module, observer, caller.roots);
    const told = { ...explained, findings: await planFindings([explained.plan], place) };
    const { byHandText } = await import('../../pipeline/8-report/by-hand-text.ts');
    const { module } = subject;
    const record = isSet(options, 'now')
      ? undefined
      : await fromLedger(caller, ledger => ({
          last: ledger.lastDecisionFor({ module }),
          byHand: ledger
            .incidents({ kind: 'modules-by-hand', module, limit: BY_HAND_MAX })
            .find(incident => byHandText(module, incident) !== undefined),
        }));
    if (caller.isJson) printJson(caller, moduleToJson(told, record ?? {}));
    else printLines(caller, formatModule(told, record ?? {}, terminal(caller)));
    return 0;
  }
  const explanations =
    subject.kind === 'modalias'
      ? [await explainModalias(subject.modalias, observer)]
      : await Promise.all(
          subject.devices.map(async device => {
            const entry = isSet(options, 'now')
              ? undefined
              : await fromLedger(caller, ledger => ledger.lastDecisionFor({ devpath: device.devpath }));
            return entry === undefined ? explainDevice(device, observer) : explainEntry(entry, device, observer);
          }),
        );
  for (const made of explanations) {
    const explanation = made.state === 'dry-run' ? { ...made, findings: await planFindings(made.plans, place) } : made;
    if (caller.isJson) printJson(caller, explain.explanationToJson(explanation));
    else printLines(caller, explain.formatExplanation(explanation, terminal(caller)));
  }
  return 0;
}

/** What the ledger says, when there is one. */
async function fromLedger<Answer>(
  { roots }: Caller,
  ask: (ledger: History) => Answer | undefined,
): Promise<Answer | undefined> {
  const file = path.join(roots.stateDir, 'ledger.sqlite');
  if (!existsSync(file)) return undefined;
  const { askLedger } = await import('../ask-ledger.ts');
  return askLedger(file, ask);
}
