import test from 'ava';
import type { FoundDriver } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';
import vendorDriver from '../../plugins/vendor-driver/index.ts';

const device = { devpath: '/devices/pci0000:00/0000:00:05.0', subsystem: 'pci', modalias: 'pci:v00001234d000011E8' };

function found(name: string, more: Partial<FoundDriver> = {}): FoundDriver {
  return {
    name,
    version: '1.2-3',
    origin: 'Test Vendor',
    licence: 'proprietary',
    delivers: 'module',
    score: 204422,
    reasons: ['proprietary: it taints the kernel', 'it names this device', 'built for 6.1.0'],
    isChosen: false,
    isFit: true,
    ...more,
  };
}

test('the driver that would be taken is proposed, with why, and what to type', async t => {
  const asked: string[] = [];
  const plugin = await startPlugin(vendorDriver, {
    findDrivers: modalias => {
      asked.push(modalias);
      return [found('acme-modules', { isChosen: true }), found('decoy')];
    },
  });
  t.deepEqual(await plugin.nomatch(device), [
    {
      title: 'acme-modules 1.2-3 from Test Vendor would drive it',
      reason:
        'proprietary; proprietary: it taints the kernel; it names this device; built for 6.1.0; usher driver search 0000:00:05.0 has 1 more',
      command: 'usher driver install 0000:00:05.0',
    },
  ]);
  t.deepEqual(asked, [device.modalias]);
});

test('nothing is proposed when nothing may be taken unasked', async t => {
  const plugin = await startPlugin(vendorDriver, { findDrivers: () => [found('decoy')] });
  t.deepEqual(await plugin.nomatch(device), []);
});

test('where a module is here and the device has no driver, firmware that it lacks is proposed', async t => {
  const drivers = [
    found('other'),
    found('broad-firmware', { delivers: 'firmware', isFit: false }),
    found('acme-firmware', { delivers: 'firmware' }),
  ];
  const plugin = await startPlugin(vendorDriver, { findDrivers: () => drivers });
  t.like((await plugin.nomatch(device))[0], {
    title: 'acme-firmware 1.2-3 from Test Vendor has firmware for it',
    command: 'usher driver install 0000:00:05.0 acme-firmware',
  });
});

test('only what is free is proposed when that is wanted', async t => {
  const settings = { free_only: true };
  const closed = await startPlugin(vendorDriver, {
    settings,
    findDrivers: () => [found('closed', { isChosen: true })],
  });
  t.deepEqual(await closed.nomatch(device), []);
  const free = await startPlugin(vendorDriver, {
    settings,
    findDrivers: () => [found('open-firmware', { isChosen: true, licence: 'free', delivers: 'firmware', reasons: [] })],
  });
  t.like((await free.nomatch(device))[0], { title: 'open-firmware 1.2-3 from Test Vendor has firmware for it' });
});

test('nobody looks for drivers of devices that only the board describes, unless that is wanted', async t => {
  const findDrivers = (): readonly FoundDriver[] => [found('acme', { isChosen: true })];
  const platform = { ...device, subsystem: 'platform', modalias: 'platform:acme' };
  t.deepEqual(await (await startPlugin(vendorDriver, { findDrivers })).nomatch(platform), []);
  const wide = await startPlugin(vendorDriver, { settings: { subsystems: ['*'] }, findDrivers });
  t.is((await wide.nomatch(platform)).length, 1);
});

test('without the grant there is no search', async t => {
  const plugin = await startPlugin(vendorDriver, {
    grants: [],
    findDrivers: () => [found('acme', { isChosen: true })],
  });
  await t.throwsAsync(plugin.nomatch(device), { message: /search/ });
});
