import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SysfsFacts } from '../../core/plugin-host/fact-reader.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import { makeSys } from '../support/made-sys.ts';

/** Device and configuration with one interface of mass storage, as its `descriptors` file has them. */
const STICK = Buffer.from(
  '12010002000000405109661600010102030109022000010100804b0904000000080650000000'.slice(0, 72),
  'hex',
);

test('of several devices each has the facts that are wanted, the parts of a USB device what it says as a whole', async t => {
  const sys = mkdtempSync(path.join(os.tmpdir(), 'usherd-facts-'));
  t.teardown(() => rmSync(sys, { recursive: true, force: true }));
  const usb = '/devices/pci0000:00/0000:00:14.0/usb1/1-2' as Devpath;
  makeSys(sys, [
    { devpath: '/devices/pci0000:00/0000:00:1f.2', subsystem: 'pci', attributes: { driver_override: '(null)\n' } },
    {
      devpath: usb,
      subsystem: 'usb',
      attributes: { descriptors: STICK, idVendor: '0951\n', idProduct: '1666\n', serial: 'S1\n', product: '\n' },
    },
    { devpath: `${usb}/1-2:1.0`, subsystem: 'usb', attributes: { bInterfaceNumber: '00\n' } },
  ]);
  const facts = new SysfsFacts({ sys }, () => undefined);
  const devices = [
    { devpath: '/devices/pci0000:00/0000:00:1f.2' as Devpath, subsystem: 'pci' },
    { devpath: `${usb}/1-2:1.0` as Devpath, subsystem: 'usb', devtype: 'usb_interface' },
  ];
  const identity = {
    vendor: '0951',
    product: '1666',
    serial: 'S1',
    port: '1-2',
    interfaces: ['08:06:50'],
    descriptorsSha256: createHash('sha256').update(STICK).digest('hex'),
  };
  t.deepEqual(await facts.factsOf(devices, ['usb', 'attr:driver_override', 'attr:bInterfaceNumber']), [
    { attributes: { driver_override: '(null)' } },
    { usb: identity, attributes: { bInterfaceNumber: '00' } },
  ]);
  rmSync(path.join(sys, usb), { recursive: true });
  t.deepEqual(await facts.factsOf(devices, ['usb']), [{}, { usb: identity }]);
  const [part] = devices.slice(1).map(device => ({ ...device }));
  t.deepEqual(await facts.factsOf(part === undefined ? [] : [part], ['usb', 'attr:serial']), [{ attributes: {} }]);
});

test('that a module is not signed taints only a kernel that looks at signatures', t => {
  const sys = mkdtempSync(path.join(os.tmpdir(), 'usherd-facts-'));
  t.teardown(() => rmSync(sys, { recursive: true, force: true }));
  const traits = { license: 'NVIDIA', signer: '', taints: ['P', 'O', 'E'] };
  const module = moduleName('nvidia');
  t.deepEqual(new SysfsFacts({ sys }, () => traits).traitsOf(module), { ...traits, taints: ['P', 'O'] });
  t.is(new SysfsFacts({ sys }, () => undefined).traitsOf(module), undefined);
  mkdirSync(path.join(sys, 'module/module/parameters'), { recursive: true });
  writeFileSync(path.join(sys, 'module/module/parameters/sig_enforce'), 'N\n');
  t.deepEqual(new SysfsFacts({ sys }, () => traits).traitsOf(module), traits);
});
