import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Device } from '../../../core/pipeline/2-device/device.ts';
import { deviceFromSysfs } from '../../../core/pipeline/2-device/read-device.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';
import { makeSys, type MadeDevice } from '../../support/made-sys.ts';

const DEVPATH = '/devices/pci0/0000:00:01.0' as Devpath;
const ADDED: Uevent = {
  action: 'add',
  devpath: DEVPATH,
  subsystem: 'pci',
  seqnum: 7n as Seqnum,
  env: { MODALIAS: 'pci:said', DEVTYPE: 'kind', DEVNAME: 'name', DRIVER: 'said' },
  origin: { kind: 'kernel' },
  receivedAtMs: 0,
};

/** Reads the event's device from a /sys that has it so, or has it not. */
async function read(
  t: ExecutionContext,
  event: Uevent,
  made?: Omit<MadeDevice, 'devpath' | 'subsystem'>,
): Promise<Device | undefined> {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-read-device-'));
  t.teardown(() => rmSync(sys, { recursive: true }));
  makeSys(sys, made === undefined ? [] : [{ devpath: DEVPATH, subsystem: 'pci', ...made }]);
  return deviceFromSysfs({ sys })(event);
}

const found = { devpath: DEVPATH, subsystem: 'pci', modalias: 'pci:found', devtype: 'kind', devname: 'name' };

test('a device asks for what sysfs says, whatever the event said, and its uevent file is not read for it', async t => {
  const made = { attributes: { modalias: 'pci:found\n' }, uevent: 'MODALIAS=pci:held-back\n' };
  t.deepEqual({ ...(await read(t, ADDED, made)) }, found);
  t.is(await read(t, ADDED), undefined);
});

test('of an ACPI device that says two things the last counts, as in its uevent file', async t => {
  const attributes = { modalias: 'acpi:PRP0001:\nof:NfooT(null)Cbar\n' };
  t.is((await read(t, ADDED, { attributes }))?.modalias as string, 'of:NfooT(null)Cbar');
});

test('a device that has just come has no driver yet; of one that was there its link tells', async t => {
  const made = { attributes: { modalias: 'pci:found\n' }, driver: 'virtio-pci' };
  t.is((await read(t, ADDED, made))?.driver, undefined);
  t.is((await read(t, { ...ADDED, synthUuid: '0' }, made))?.driver, 'virtio-pci');
  t.is((await read(t, { ...ADDED, action: 'change' }, made))?.driver, 'virtio-pci');
  const { seqnum: _none, ...unnumbered } = ADDED;
  t.is((await read(t, { ...unnumbered, origin: { kind: 'coldplug' } }, made))?.driver, 'virtio-pci');
});

test('a kind of device without a file for its modalias is read from its uevent file', async t => {
  const uevent = 'DRIVER=mmcblk\nMODALIAS=mmc:block\n';
  t.deepEqual({ ...(await read(t, ADDED, { uevent })) } as object, {
    devpath: DEVPATH,
    subsystem: 'pci',
    driver: 'mmcblk',
    modalias: 'mmc:block',
  });
});
