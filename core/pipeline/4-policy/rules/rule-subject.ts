import { whenThere } from '../../../vocabulary/when-there.ts';
import { assertNever } from '../../../vocabulary/assert-never.ts';
import { readSmallFiles } from '../../../kernel/small-file.ts';
import { parseUeventFile } from '../../../kernel/sysfs.ts';
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

/** A device that is there, as if this had just happened to it. Its uevent file is read aside: a driver may hold it back. */
export async function subjectOfDevice(devpath: string, action: string, places: Places): Promise<RuleSubject> {
  const [text = ''] = await readSmallFiles([`${places.sys}${devpath}/uevent`]);
  const uevent = parseUeventFile(text);
  const found = new SysfsRuleDevice(places.sys, devpath, { uevent });
  // A fixture that can hold no links says it in the uevent file.
  const { SUBSYSTEM: written } = uevent;
  const device =
    found.subsystem === undefined && written !== undefined
      ? new SysfsRuleDevice(places.sys, devpath, { subsystem: written, uevent })
      : found;
  const { subsystem, driver } = device;
  const properties = withNode({ DEVPATH: devpath, ...uevent }, places);
  properties.set('ACTION', action);
  if (subsystem !== undefined) properties.set('SUBSYSTEM', subsystem);
  if (driver !== undefined) properties.set('DRIVER', driver);
  return { action, device, properties, modalias: uevent['MODALIAS'] ?? '', origin: '' };
}

/** A question about a module → what rules are applied to; a promise where a device asks and nothing happened to it. */
export function subjectOfQuestion(
  asker: Asker,
  module: ModuleSubject,
  places: Places,
): RuleSubject | Promise<RuleSubject> {
  switch (asker.kind) {
    case 'device': {
      const { event, device } = asker;
      const asked = (subject: RuleSubject): RuleSubject => ({
        ...subject,
        modalias: device.modalias ?? subject.modalias,
        module,
      });
      const { devpath } = device;
      return whenThere(
        event === undefined ? subjectOfDevice(devpath, 'add', places) : subjectOfEvent(event, places),
        asked,
      );
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
