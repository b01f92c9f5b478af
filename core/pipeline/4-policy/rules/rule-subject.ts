import { assertNever } from '../../../vocabulary/assert-never.ts';
import type { Uevent } from '../../1-intake/uevent.ts';
import type { Asker } from '../question.ts';
import type { ModuleSubject, RuleSubject, StoredDevice } from './rule-context.ts';
import { SysfsRuleDevice } from './sysfs-rule-device.ts';

/** Where the system lies, as far as a subject is concerned. */
interface Places {
  readonly sys: string;
  readonly dev: string;
}

/** A uevent → what rules are applied to: the device in sysfs, and the event's own variables. */
export function subjectOfEvent({ action, devpath, subsystem, env, origin }: Uevent, places: Places): RuleSubject {
  const device = new SysfsRuleDevice(places.sys, devpath, { subsystem, uevent: env });
  return {
    action,
    device,
    properties: withNode(env, places),
    modalias: env['MODALIAS'] ?? '',
    origin: origin.kind,
  };
}

/** A device that is there, as if this had just happened to it. */
export function subjectOfDevice(devpath: string, action: string, places: Places): RuleSubject {
  const found = new SysfsRuleDevice(places.sys, devpath);
  // A fixture that can hold no links says it in the uevent file.
  const { SUBSYSTEM: written } = found.uevent;
  const device =
    found.subsystem === undefined && written !== undefined
      ? new SysfsRuleDevice(places.sys, devpath, { subsystem: written, uevent: found.uevent })
      : found;
  const { subsystem, uevent, driver } = device;
  const properties = withNode({ DEVPATH: devpath, ...uevent }, places);
  properties.set('ACTION', action);
  if (subsystem !== undefined) properties.set('SUBSYSTEM', subsystem);
  if (driver !== undefined) properties.set('DRIVER', driver);
  return { action, device, properties, modalias: uevent['MODALIAS'] ?? '', origin: '' };
}

/** A question about a module → what rules are applied to. */
export function subjectOfQuestion(asker: Asker, module: ModuleSubject, places: Places): RuleSubject {
  switch (asker.kind) {
    case 'device': {
      const { event, device } = asker;
      const subject =
        event === undefined ? subjectOfDevice(device.devpath, 'add', places) : subjectOfEvent(event, places);
      return { ...subject, modalias: device.modalias ?? subject.modalias, module };
    }
    case 'kernel':
      return { action: '', properties: new Map(), modalias: asker.alias, origin: 'request', module };
    case 'administrator':
      return { action: '', properties: new Map(), modalias: '', origin: 'administrator', module };
    default:
      return assertNever(asker);
  }
}

/** On removal sysfs has nothing left to say: what was stored of the device is all there is. */
export function withStored(subject: RuleSubject, stored: StoredDevice | undefined): RuleSubject {
  if (stored === undefined) return subject;
  return { ...subject, properties: new Map([...stored.properties, ...subject.properties]) };
}

/** DEVNAME with its folder before it, as rules and programs have it. */
function withNode(env: Readonly<Record<string, string>>, { dev }: Places): Map<string, string> {
  const properties = new Map<string, string>();
  for (const key in env) properties.set(key, env[key] ?? '');
  const name = properties.get('DEVNAME');
  if (name !== undefined && !name.startsWith('/')) properties.set('DEVNAME', `${dev}/${name}`);
  return properties;
}
