import { UsherdError } from '../../errors.ts';
import { ACTIONS } from '../../pipeline/1-intake/uevent.ts';
import { deviceOf } from '../../pipeline/2-device/read-device.ts';
import { matchDevice } from '../../pipeline/3-match/match-device.ts';
import type { Opinion } from '../../pipeline/4-policy/opinion.ts';
import { actualValue } from '../../pipeline/4-policy/rules/actual-value.ts';
import { applyRules } from '../../pipeline/4-policy/rules/apply-rules.ts';
import { loadRuleSet } from '../../pipeline/4-policy/rules/rule-files.ts';
import { ruleOpinions } from '../../pipeline/4-policy/rules/rule-opinions.ts';
import type { RuleResult } from '../../pipeline/4-policy/rules/rule-result.ts';
import type { RuleObserver } from '../../pipeline/4-policy/rules/rule-run.ts';
import { subjectOfDevice } from '../../pipeline/4-policy/rules/rule-subject.ts';
import { tokenText } from '../../pipeline/4-policy/rules/token-text.ts';
import { openWorld } from '../../daemon/module-world.ts';
import { rulePolicy } from '../../daemon/rules-in-force.ts';
import { treeTraits } from '../../daemon/tree-traits.ts';
import type { SysfsDevice } from '../../kernel/sysfs.ts';
import { span, type Span } from '../../pipeline/8-report/terminal.ts';
import { formatPlace, type Place } from '../../vocabulary/place.ts';
import { findDevices } from '../device-lookup.ts';
import { isSet, textOption } from '../option-values.ts';
import { printJson, printSpans } from '../output.ts';
import { runningRelease } from '../call-verb.ts';
import type { Caller, OptionValues } from '../verb.ts';
import { namedDirs } from './named-dirs.ts';

/** One rule as it was gone through. */
interface Step {
  readonly place: string;
  readonly isMatched: boolean;
  /** The key that did not match, and what it was compared with. */
  readonly failed?: string;
  readonly actual?: string | readonly string[] | null;
  /** What the rule assigned. */
  readonly sets: readonly string[];
}

/** Goes through all rules for a device and prints each step, then what they come to. Nothing is changed; RUN is not run. */
export async function tryDevice(words: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const [word, ...others] = words;
  const action = textOption(options, 'action') ?? 'add';
  if (word === undefined || others.length > 0) throw new UsherdError('USAGE', 'rules test needs one device');
  if (!ACTIONS.some(known => known === action)) {
    throw new UsherdError('USAGE', `--action is one of ${ACTIONS.join(', ')}, found "${action}"`);
  }
  const { roots } = caller;
  const [device] = findDevices(word, roots);
  if (device === undefined)
    throw new UsherdError('NOT_FOUND', `"${word}" is no device in ${roots.sys}`, { wanted: word });
  const ruleSet = loadRuleSet(namedDirs(options, caller));
  const world = openWorld(roots, caller.release ?? runningRelease());
  const policy = rulePolicy(
    roots,
    treeTraits(() => world.tree),
    () => ruleSet,
  );
  const steps: Step[] = [];
  const observe: RuleObserver = ({ source, tokens }, failed, evaluation) => {
    if (tokens.length === 0) return;
    const assigned = source.tokens.filter(({ operator }) => operator !== '==' && operator !== '!=').map(tokenText);
    const place = formatPlace(lineOf(source.place));
    steps.push(
      failed === undefined
        ? { place, isMatched: true, sets: assigned }
        : {
            place,
            isMatched: false,
            failed: tokenText(failed.source),
            actual: actualValue(failed.source, evaluation) ?? null,
            sets: [],
          },
    );
  };
  const subject = await subjectOfDevice(device.devpath, action, roots);
  const result = await applyRules(ruleSet, subject, policy.context(), { runProgram: policy.runProgram, observe });
  const source = ruleOpinions(policy);
  const asker = { kind: 'device', device: deviceOf(device) } as const;
  const modules: { module: string; opinions: readonly Opinion[] }[] = [];
  for (const candidate of matchDevice(asker.device, world)) {
    const { module } = candidate;
    modules.push({ module, opinions: await source.opinionsOn({ module, role: 'target', candidate, asker }) });
  }
  const told = isSet(options, 'matched') ? steps.filter(({ isMatched }) => isMatched) : steps;
  if (caller.isJson) {
    printJson(caller, { device: device.devpath, action, rules: told, ...resultFields(result), modules });
    return 0;
  }
  print(device, action, told, result, modules, caller);
  return 0;
}

function resultFields({ properties, seclabels, ...said }: RuleResult): object {
  return { properties: Object.fromEntries(properties), seclabels: Object.fromEntries(seclabels), ...said };
}

function print(
  { devpath }: SysfsDevice,
  action: string,
  steps: readonly Step[],
  result: RuleResult,
  modules: readonly { readonly module: string; readonly opinions: readonly Opinion[] }[],
  caller: Caller,
): void {
  const line = (...spans: readonly Span[]): void => printSpans(caller, spans);
  line(span('title', `${action} ${devpath}`));
  for (const { place, isMatched, failed = '', actual, sets } of steps) {
    if (isMatched) {
      line(span('good', 'yes '), place);
      for (const text of sets) line('      ', span('name', text));
    } else line(span('faint', 'no  '), place, span('faint', `  ${failed} but it is ${shown(actual)}`));
  }
  line(span('title', 'so'));
  for (const [key, value] of result.properties) line(`  ${key}=${value}`);
  if (result.tags.length > 0) line(`  tags: ${result.tags.join(' ')}`);
  for (const link of result.links)
    line(`  link: ${link}${result.linkPriority === 0 ? '' : ` (priority ${result.linkPriority})`}`);
  if (result.name !== undefined) line(`  name: ${result.name}`);
  for (const key of ['owner', 'group'] as const) if (result[key] !== undefined) line(`  ${key}: ${result[key]}`);
  if (result.mode !== undefined) line(`  mode: ${result.mode.toString(8).padStart(4, '0')}`);
  for (const { file, value } of [...result.attributes, ...result.sysctls]) line(`  write "${value}" to ${file}`);
  for (const { kind, command } of result.run) line(`  run ${kind}: ${command}`);
  if (result.driverOverride !== undefined) line(`  only the driver ${result.driverOverride.driver}`);
  for (const { place, message } of result.notes) line(span('warning', `  ${formatPlace(lineOf(place))}: ${message}`));
  for (const { module, opinions } of modules) {
    if (opinions.length === 0) line(`  module ${module}: no rule speaks of it`);
    for (const { verdict, reason, place } of opinions) {
      line(`  module ${module}: ${verdict}, ${reason}${place === undefined ? '' : ` (${formatPlace(lineOf(place))})`}`);
    }
  }
}

function shown(actual: Step['actual']): string {
  if (actual === undefined || actual === null) return 'not there';
  return typeof actual === 'string'
    ? `"${actual}"`
    : actual.length === 0
      ? 'none'
      : actual.map(text => `"${text}"`).join(', ');
}

function lineOf({ file, line }: Place): Place {
  return line === undefined ? { file } : { file, line };
}
