import test from 'ava';
import { allow, deny, hold, type PluginDevice, type UsbIdentity } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';
import usbAllowlist from '../../plugins/usb-allowlist/index.ts';

const stick: UsbIdentity = {
  vendor: '0951',
  product: '1666',
  serial: '60A44C',
  manufacturer: 'Kingston',
  productName: 'DataTraveler 3.0',
  port: '1-2',
  interfaces: ['08:06:50'],
  descriptorsSha256: 'aa'.repeat(32),
};

const keyboard: UsbIdentity = {
  vendor: '046d',
  product: 'c31c',
  manufacturer: 'Logitech',
  productName: 'USB Keyboard',
  port: '1-1',
  interfaces: ['03:00:00', '03:01:01'],
  descriptorsSha256: 'cc'.repeat(32),
};

const other: UsbIdentity = {
  ...keyboard,
  vendor: '04d9',
  product: '1702',
  port: '1-3',
  descriptorsSha256: 'dd'.repeat(32),
};

const hub: UsbIdentity = {
  vendor: '05e3',
  product: '0610',
  port: '1-4',
  interfaces: ['09:00:01', '09:00:02'],
  descriptorsSha256: 'bb'.repeat(32),
};

const rootHub: PluginDevice = {
  devpath: '/devices/pci0000:00/0000:00:14.0/usb1',
  subsystem: 'usb',
  devtype: 'usb_device',
  attributes: { authorized_default: '1', interface_authorized_default: '0' },
  usb: { vendor: '1d6b', product: '0002', port: 'usb1', interfaces: ['09:00:00'], descriptorsSha256: 'ee'.repeat(32) },
};

function deviceOf(usb: UsbIdentity): PluginDevice {
  return { devpath: `${rootHub.devpath}/${usb.port}`, subsystem: 'usb', devtype: 'usb_device', driver: 'usb', usb };
}

/** The first or the keyboard's interface, as it asks for its driver, or has it. */
function interfaceOf(usb: UsbIdentity, driver?: string): PluginDevice {
  const kind = usb.interfaces.at(-1) ?? '';
  const [cc = '', ss = '', pp = ''] = kind.toUpperCase().split(':');
  return {
    devpath: `${rootHub.devpath}/${usb.port}/${usb.port}:1.0`,
    subsystem: 'usb',
    devtype: 'usb_interface',
    modalias: `usb:v${usb.vendor.toUpperCase()}p${usb.product.toUpperCase()}d0100dc00dsc00dp00ic${cc}isc${ss}ip${pp}in00`,
    usb,
    ...(driver === undefined ? {} : { driver }),
  };
}

const stickWords =
  'Kingston DataTraveler 3.0 (0951:1666, interfaces 08:06:50, descriptors aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) at 1-2';
const otherWords =
  'Logitech USB Keyboard (04d9:1702, interfaces 03:00:00 03:01:01, descriptors dddddddddddddddddddddddddddddddd) at 1-3';

test('the first start learns what is there, says so, and knows it again after a restart', async t => {
  const devices = [rootHub, deviceOf(stick), interfaceOf(stick, 'usb-storage'), deviceOf(hub)];
  const first = await startPlugin(usbAllowlist, { devices });
  t.deepEqual(first.log, [
    'info: learned Kingston DataTraveler 3.0 (0951:1666) at 1-2',
    'info: 1 USB devices that are here are known from now on',
  ]);
  t.deepEqual([...first.store.keys()], [`device:0951:1666:${'a'.repeat(32)}:1-2`, 'learned']);
  const known = allow('it is the known device Kingston DataTraveler 3.0');
  t.deepEqual(await first.opine({ module: 'usb_storage', device: interfaceOf(stick) }), known);

  const again = await startPlugin(usbAllowlist, { devices: [deviceOf(other)], store: Object.fromEntries(first.store) });
  t.deepEqual(again.log, []);
  t.deepEqual(await again.opine({ module: 'uas', device: interfaceOf({ ...stick, port: '2-1' }) }), known);
  const unknown = hold(`${otherWords} is not among the known devices`);
  t.deepEqual(await again.opine({ module: 'usbhid', device: interfaceOf(other) }), unknown);
});

test('a start says where the kernel asks nobody', async t => {
  const settings = { learn: false };
  const at = (name: string, attributes: Readonly<Record<string, string>>): PluginDevice => ({
    ...rootHub,
    devpath: `/devices/pci0000:00/0000:00:14.0/${name}`,
    attributes,
  });
  const open = [
    at('usb1', { authorized_default: '1', interface_authorized_default: '1' }),
    at('usb2', { authorized_default: '0', interface_authorized_default: '1' }),
    at('usb3', {}),
    deviceOf(stick),
  ];
  const plugin = await startPlugin(usbAllowlist, { settings, devices: open });
  t.deepEqual(plugin.log, [
    'info: at usb1, usb3 a device gets a driver that is loaded already without being asked about: policy.usb_gate in usherd.toml closes that',
  ]);
  t.deepEqual((await startPlugin(usbAllowlist, { settings, devices: [rootHub] })).log, []);
});

test('a new text for learn adds what is there now, once', async t => {
  const first = await startPlugin(usbAllowlist, { devices: [deviceOf(stick)] });
  const settings = { learn: 'with the new keyboard' };
  const options = { devices: [deviceOf(keyboard)], settings };
  const second = await startPlugin(usbAllowlist, { ...options, store: Object.fromEntries(first.store) });
  t.is(second.store.size, 3);
  t.is(second.store.get('learned'), 'with the new keyboard');
  const third = await startPlugin(usbAllowlist, {
    settings,
    devices: [deviceOf(other)],
    store: Object.fromEntries(second.store),
  });
  t.deepEqual(third.log, []);
  t.is(third.store.size, 3);
});

test('without learn nothing is known but what the settings name', async t => {
  const settings = {
    learn: false,
    unknown: 'deny',
    known: [{ name: 'backup stick', vendor: '0951', product: '1666', interfaces: ['08:06:*'], port: ['1-*'] }],
  };
  const plugin = await startPlugin(usbAllowlist, { settings, devices: [deviceOf(keyboard)] });
  t.deepEqual([...plugin.store], []);
  const known = allow('it is the known device backup stick');
  t.deepEqual(await plugin.opine({ module: 'uas', device: interfaceOf(stick) }), known);
  const elsewhere = interfaceOf({ ...stick, port: '2-1' });
  const why = `${stickWords.replace('at 1-2', 'at 2-1')} is not among the known devices; it calls itself what backup stick is, but is in another port`;
  t.deepEqual(await plugin.opine({ module: 'uas', device: elsewhere }), deny(why));
});

test('a device that copies vendor, product and serial of a known one, and can type besides, is told from it', async t => {
  const plugin = await startPlugin(usbAllowlist, { devices: [deviceOf(stick)] });
  const impostor = { ...stick, interfaces: ['03:01:01', '08:06:50'], descriptorsSha256: 'ff'.repeat(32) };
  const why =
    'Kingston DataTraveler 3.0 (0951:1666, interfaces 03:01:01 08:06:50, descriptors ffffffffffffffffffffffffffffffff) at 1-2 is not among the known devices; it calls itself what Kingston DataTraveler 3.0 is, but has interfaces 03:01:01 that it has not and has other descriptors';
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: interfaceOf(impostor) }), hold(why));
});

test('serial numbers and ports are compared when that is wanted', async t => {
  const devices = [deviceOf(stick)];
  const loose = await startPlugin(usbAllowlist, { devices });
  const sibling = interfaceOf({ ...stick, serial: 'OTHER' });
  const moved = interfaceOf({ ...stick, port: '1-3' });
  t.is((await loose.opine({ module: 'uas', device: sibling }))?.verdict, 'allow');
  t.is((await loose.opine({ module: 'uas', device: moved }))?.verdict, 'allow');
  const strict = await startPlugin(usbAllowlist, { devices, settings: { also_compare: ['serial', 'port'] } });
  t.is((await strict.opine({ module: 'uas', device: interfaceOf(stick) }))?.verdict, 'allow');
  const like = 'is not among the known devices; it calls itself what Kingston DataTraveler 3.0 is, but';
  t.deepEqual(
    await strict.opine({ module: 'uas', device: sibling }),
    hold(`${stickWords} ${like} has another serial number`),
  );
  const movedWords = stickWords.replace('at 1-2', 'at 1-3');
  t.deepEqual(await strict.opine({ module: 'uas', device: moved }), hold(`${movedWords} ${like} is in another port`));
});

test('hubs come in, unless they are to be known; a hub that is something else besides is no hub', async t => {
  const plugin = await startPlugin(usbAllowlist);
  t.deepEqual(
    await plugin.opine({ module: 'hub', device: interfaceOf(hub) }),
    allow('it is a hub and nothing besides'),
  );
  const more = { ...hub, interfaces: ['03:01:01', '09:00:00'] };
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(more) }))?.verdict, 'hold');
  const strict = await startPlugin(usbAllowlist, { settings: { hubs: 'known' } });
  t.is((await strict.opine({ module: 'hub', device: interfaceOf(hub) }))?.verdict, 'hold');
  const root = allow('it is the hub of a USB controller');
  t.deepEqual(await strict.opine({ module: 'x', device: rootHub }), root);
  t.deepEqual(await strict.opine({ module: 'x', device: { ...rootHub, devpath: `${rootHub.devpath}/1-0:1.0` } }), root);
});

test('a second keyboard waits, though it is in the list, and the first and those learned together do not', async t => {
  const settings = {
    learn: false,
    known: [
      { name: 'mine', vendor: '046d', product: 'c31c', interfaces: ['03:*:*'] },
      { name: 'the other', vendor: '04d9', product: '1702', interfaces: ['03:*:*'] },
      { name: 'the macro pad', vendor: '1234', product: '1702', interfaces: ['03:*:*'], beside: true },
    ],
  };
  const plugin = await startPlugin(usbAllowlist, { settings });
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(other) }))?.verdict, 'allow');
  plugin.devices = [deviceOf(keyboard), interfaceOf(keyboard, 'usbhid')];
  const why = hold('it is a second keyboard, one at 1-1 is there already');
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: interfaceOf(other) }), why);
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: deviceOf(other) }), why);
  const pad = { ...other, vendor: '1234' };
  t.deepEqual(
    await plugin.opine({ module: 'usbhid', device: interfaceOf(pad) }),
    allow('it is the known device the macro pad'),
  );
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(keyboard) }))?.verdict, 'allow');
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(other, 'usbhid') }))?.verdict, 'allow');

  const learned = await startPlugin(usbAllowlist, { devices: [deviceOf(keyboard), deviceOf(other)] });
  learned.devices = [interfaceOf(keyboard, 'usbhid')];
  t.is((await learned.opine({ module: 'usbhid', device: interfaceOf(other) }))?.verdict, 'allow');
});

test('a keyboard that shows itself as one that is there waits, whatever the list says', async t => {
  const plugin = await startPlugin(usbAllowlist, { devices: [deviceOf(keyboard)] });
  plugin.devices = [interfaceOf(keyboard, 'usbhid')];
  const twin = interfaceOf({ ...keyboard, port: '2-1' });
  const why = 'it is a keyboard that shows itself just as the one at 1-1 does';
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: twin }), hold(why));
});

test('of two keyboards that are plugged in at once the second waits, though no driver has taken the first yet', async t => {
  const known = [keyboard, other].map(({ vendor, product }) => ({ vendor, product, interfaces: ['03:*:*'] }));
  const plugin = await startPlugin(usbAllowlist, { settings: { learn: false, known } });
  plugin.devices = [deviceOf(keyboard), deviceOf(other)];
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(keyboard) }))?.verdict, 'allow');
  const why = hold('it is a second keyboard, one at 1-1 is there already');
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: interfaceOf(other) }), why);
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(keyboard) }))?.verdict, 'allow');
});

test('two keyboards of one make that were learned both come in, a third does not', async t => {
  const second = { ...keyboard, port: '1-2' };
  const plugin = await startPlugin(usbAllowlist, { devices: [deviceOf(keyboard), deviceOf(second)] });
  plugin.devices = [interfaceOf(keyboard, 'usbhid')];
  t.is((await plugin.opine({ module: 'usbhid', device: interfaceOf(second) }))?.verdict, 'allow');
  plugin.devices = [interfaceOf(keyboard, 'usbhid'), interfaceOf(second, 'usbhid')];
  const why = 'it is a keyboard that shows itself just as the one at 1-1 and 1-2 does';
  const third = interfaceOf({ ...keyboard, port: '1-4' });
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: third }), hold(why));
});

test('an unknown keyboard beside one at the keyboard controller waits for both reasons, or is denied', async t => {
  const atkbd: PluginDevice = { devpath: '/devices/platform/i8042/serio0', subsystem: 'serio', driver: 'atkbd' };
  const why = `${otherWords} is not among the known devices; it is a second keyboard, one at the keyboard controller is there already`;
  const plugin = await startPlugin(usbAllowlist, { devices: [atkbd] });
  t.deepEqual(await plugin.opine({ module: 'usbhid', device: interfaceOf(other) }), hold(why));
  const settings = { unknown: 'deny' };
  const strict = await startPlugin(usbAllowlist, { devices: [atkbd], settings });
  t.deepEqual(await strict.opine({ module: 'usbhid', device: interfaceOf(other) }), deny(why));
  const lax = await startPlugin(usbAllowlist, { devices: [atkbd], settings: { second_keyboard: 'as-any' } });
  t.deepEqual(
    await lax.opine({ module: 'usbhid', device: interfaceOf(other) }),
    hold(`${otherWords} is not among the known devices`),
  );
});

test('a device whose descriptors cannot be read waits, and what is no USB device is not asked about', async t => {
  const plugin = await startPlugin(usbAllowlist);
  const { usb: _, ...mute } = interfaceOf(stick);
  const why = 'its USB descriptors cannot be read, so it may be anything';
  t.deepEqual(await plugin.opine({ module: 'uas', device: mute }), hold(why));
  t.is(await plugin.opine({ module: 'e1000e', device: { subsystem: 'pci' } }), undefined);
  t.is(await plugin.opine({ module: 'scsi_mod', role: 'dependency', device: mute }), undefined);
});

test('what a device calls itself cannot break the sentence it stands in', async t => {
  const plugin = await startPlugin(usbAllowlist);
  const rude = { ...stick, manufacturer: 'A\u001b[2J\n\u202eB', productName: 'x'.repeat(100) };
  const verdict = await plugin.opine({ module: 'uas', device: interfaceOf(rude) });
  t.true(verdict?.reason.startsWith(`A?[2J??B ${'x'.repeat(55)} (0951:1666, `));
});

test('a store that was tampered with costs a warning, not the list', async t => {
  const first = await startPlugin(usbAllowlist, { devices: [deviceOf(stick)] });
  const store = { ...Object.fromEntries(first.store), 'device:broken': { vendor: 5 } };
  const again = await startPlugin(usbAllowlist, { store });
  t.deepEqual(again.log, ["warn: the store's device:broken is no device that was learned; it is left out"]);
  t.is((await again.opine({ module: 'uas', device: interfaceOf(stick) }))?.verdict, 'allow');
});

test('a known device must be named by more than what it calls itself', async t => {
  const refusals: readonly (readonly [known: object, why: RegExp])[] = [
    [{ vendor: '0951', product: '1666' }, /known\.0\.interfaces/],
    [{ vendor: '0951', product: '1666', interfaces: [] }, /a device without interfaces does nothing/],
    [{ vendor: '951', product: '1666', interfaces: ['08:06:50'] }, /known\.0\.vendor: wanted four hexadecimal digits/],
    [{ vendor: '0951', product: '1666', interfaces: ['storage'] }, /known\.0\.interfaces\.0: wanted CC:SS:PP/],
    [{ vendor: '0951', product: '1666', interfaces: ['08:06:50'], descriptors: 'aa' }, /wanted 32 to 64 hexadecimal/],
  ];
  for (const [known, why] of refusals)
    await t.throwsAsync(startPlugin(usbAllowlist, { settings: { known: [known] } }), { message: why });
});
