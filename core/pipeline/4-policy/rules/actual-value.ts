import type { Evaluation } from './evaluation.ts';
import { otherAttribute } from './expand.ts';
import type { RuleToken } from './rule.ts';
import { sysctlPath } from './sysctl-path.ts';
import type { RuleDevice } from './rule-context.ts';

/** What a match key was compared with, for a person: a text, several, or undefined where there is nothing. */
export function actualValue(
  { key, attribute = '' }: RuleToken,
  evaluation: Evaluation,
): string | readonly string[] | undefined {
  const { subject, device, properties, context } = evaluation;
  switch (key) {
    case 'ACTION':
      return subject.action;
    case 'DEVPATH':
      return device.devpath;
    case 'KERNEL':
      return device.sysname;
    case 'SUBSYSTEM':
      return device.subsystem;
    case 'DRIVER':
      return device.driver;
    case 'NAME':
      return evaluation.name.value;
    case 'SYMLINK':
      return [...evaluation.links];
    case 'TAG':
      return [...evaluation.tags];
    case 'ENV':
      return properties.get(attribute);
    case 'CONST':
      return context.constant(attribute);
    case 'ATTR':
      return otherAttribute(attribute, evaluation) ?? device.attribute(attribute);
    case 'SYSCTL':
      return context.sysctl(sysctlPath(attribute))?.trim();
    case 'RESULT':
      return evaluation.programResult;
    case 'MODULE':
      return subject.module?.module;
    case 'MODALIAS':
      return subject.modalias;
    case 'ORIGIN':
      return subject.origin;
    case 'LICENSE':
      return subject.module?.facts()?.license;
    case 'SIGNER':
      return subject.module?.facts()?.signer;
    case 'TAINTS':
      return subject.module?.facts()?.taints ?? [];
    case 'KERNELS':
      return upwards(device, at => at.sysname);
    case 'SUBSYSTEMS':
      return upwards(device, at => at.subsystem);
    case 'DRIVERS':
      return upwards(device, at => at.driver);
    case 'ATTRS':
      return upwards(device, at => at.attribute(attribute));
    default:
      return undefined;
  }
}

function upwards(device: RuleDevice, read: (at: RuleDevice) => string | undefined): readonly string[] {
  const found: string[] = [];
  for (let at: RuleDevice | undefined = device; at !== undefined; at = at.parent) {
    const value = read(at);
    if (value !== undefined && value !== '') found.push(value);
  }
  return found;
}
