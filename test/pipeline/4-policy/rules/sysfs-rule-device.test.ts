import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SysfsRuleDevice } from '../../../../core/pipeline/4-policy/rules/sysfs-rule-device.ts';
import { makeSys } from '../../../support/made-sys.ts';

const sys = mkdtempSync(path.join(tmpdir(), 'usherd-sys-'));
test.after.always(() => rmSync(sys, { recursive: true }));

const content = Buffer.from(Array.from({ length: 9000 }, (_, n) => n & 0xff));
makeSys(sys, [
  { devpath: '/devices/pci0000:00', uevent: 'NEVER=said\n' },
  {
    devpath: '/devices/pci0000:00/0000:00:02.0',
    subsystem: 'pci',
    uevent: 'PCI_CLASS=20000\n',
    attributes: { config: content },
  },
  { devpath: '/devices/pci0000:00/0000:00:02.0/net/eth0', subsystem: 'class/net' },
]);

test('of bytes all are read, or so many as are wanted and no more', t => {
  const device = new SysfsRuleDevice(sys, '/devices/pci0000:00/0000:00:02.0');
  t.deepEqual(device.bytes('config'), content);
  t.deepEqual(device.bytes('config', 15), content.subarray(0, 15));
  t.deepEqual(device.bytes('config', 20_000), content);
  t.is(device.bytes('descriptors', 15), undefined);
  t.is(device.bytes('net'), undefined);
});

test('the nearest device above is found past folders that are none, as often as it is asked for', t => {
  for (let event = 0; event < 2; event += 1) {
    const above = new SysfsRuleDevice(sys, '/devices/pci0000:00/0000:00:02.0/net/eth0').parent;
    t.deepEqual([above?.devpath, above?.subsystem], ['/devices/pci0000:00/0000:00:02.0', 'pci']);
    t.deepEqual({ ...above?.uevent }, { PCI_CLASS: '20000' });
    const root = above?.parent;
    t.deepEqual([root?.devpath, root?.subsystem, { ...root?.uevent }], ['/devices/pci0000:00', undefined, {}]);
    t.is(root?.parent, undefined);
  }
});

test('a folder that was not there when it was asked for may be a device later', t => {
  const child = '/devices/platform/late/part';
  t.is(new SysfsRuleDevice(sys, child).parent, undefined);
  makeSys(sys, [{ devpath: '/devices/platform/late', subsystem: 'platform' }]);
  t.is(new SysfsRuleDevice(sys, child).parent?.devpath, '/devices/platform/late');
});
