import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseRecording } from '../../core/pipeline/1-intake/recording.ts';

/** A device of a made-up /sys. */
export interface MadeDevice {
  readonly devpath: string;
  /** `usb` or `class/net`; a plain name is a bus. Without one it is a folder that holds others. */
  readonly subsystem?: string;
  readonly driver?: string;
  readonly uevent?: string;
  readonly attributes?: Readonly<Record<string, string | Buffer>>;
}

/** Writes devices below a folder that stands for /sys, with the links a device has and those that lead to it. */
export function makeSys(sys: string, devices: readonly MadeDevice[]): void {
  for (const { devpath, subsystem, driver, uevent = '', attributes = {} } of devices) {
    const folder = path.join(sys, devpath);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'uevent'), uevent);
    for (const [name, value] of Object.entries(attributes)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), value);
    }
    if (subsystem === undefined) continue;
    const isClass = subsystem.startsWith('class/');
    const place = path.join(sys, isClass ? subsystem : `bus/${subsystem}`);
    linkTo(place, path.join(folder, 'subsystem'));
    linkTo(folder, path.join(place, isClass ? '' : 'devices', path.basename(devpath)));
    if (driver !== undefined) linkTo(path.join(place, 'drivers', driver), path.join(folder, 'driver'));
  }
}

function linkTo(target: string, link: string): void {
  if (existsSync(link)) return;
  mkdirSync(target, { recursive: true });
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(path.relative(path.dirname(link), target), link);
}

/** The devices of a recording, as they were when their events came; a later state of one beats an earlier one. */
export function recordedDevices(file: string): readonly MadeDevice[] {
  const devices = new Map<string, MadeDevice>();
  for (const item of parseRecording(readFileSync(file, 'utf8'), file).items) {
    if (item.kind !== 'sysfs') continue;
    const { attrs, links, devpath } = item;
    const { uevent = '', ...attributes } = attrs;
    const subsystem = links['subsystem']?.replace(/^(?:\.\.\/)+(?:bus\/(?=[^/]+$))?/, '');
    const driver = links['driver'];
    devices.set(devpath, {
      devpath,
      // A recording leaves out the last line's end, without which udev does not read that line.
      uevent: uevent === '' ? '' : `${uevent}\n`,
      attributes,
      ...(subsystem === undefined ? {} : { subsystem }),
      ...(driver === undefined ? {} : { driver: path.basename(driver) }),
    });
  }
  return [...devices.values()];
}
