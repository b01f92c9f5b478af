import { existsSync } from 'node:fs';
import path from 'node:path';
import { readDriver, readSysfsDevice } from '../kernel/sysfs.ts';
import { openObserver } from '../daemon/observer.ts';
import type { History } from '../pipeline/7-ledger/history.ts';
import { byHandText } from '../pipeline/8-report/by-hand-text.ts';
import { explanationToJson, formatExplanation } from '../pipeline/8-report/explain.ts';
import { formatModule, moduleToJson } from '../pipeline/8-report/module-report.ts';
import { runningRelease } from './call-verb.ts';
import { isSet } from './option-values.ts';
import { printJson, printLines, terminal } from './output.ts';
import { planFindings } from './plan-findings.ts';
import type { Caller, OptionValues } from './verb.ts';
import { explainDevice, explainEntry, explainModalias } from './why-explanations.ts';
import { explainModule } from './why-module.ts';
import { whySubject } from './why-subject.ts';

/** Acts by hand that may name a module and not be on it: a word, a parameter's value. */
const BY_HAND_MAX = 16;

/** Says why a device has the driver it has, or what a module or modalias leads to. */
export async function explainSubject(
  [word = '']: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  const release = caller.release ?? runningRelease();
  await using observer = await openObserver(
    caller.roots,
    release,
    message => void caller.stderr.write(`usher: ${message}\n`),
  );
  const place = { roots: caller.roots, tree: observer.world().tree };
  const subject = whySubject(word, caller.roots, observer.world());
  if (subject.kind === 'module') {
    const explained = await explainModule(subject.module, observer, caller.roots);
    const told = { ...explained, findings: await planFindings([explained.plan], place) };
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
          subject.devpaths.map(async devpath => {
            const entry = isSet(options, 'now')
              ? undefined
              : await fromLedger(caller, ledger => ledger.lastDecisionFor({ devpath }));
            if (entry !== undefined) return explainEntry(entry, readDriver(caller.roots, devpath), observer);
            const device = readSysfsDevice(caller.roots, devpath);
            return device && explainDevice(device, observer);
          }),
        );
  for (const made of explanations.filter(each => each !== undefined)) {
    const explanation = made.state === 'dry-run' ? { ...made, findings: await planFindings(made.plans, place) } : made;
    if (caller.isJson) printJson(caller, explanationToJson(explanation));
    else printLines(caller, formatExplanation(explanation, terminal(caller)));
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
  const { askLedger } = await import('./ask-ledger.ts');
  return askLedger(file, ask);
}
