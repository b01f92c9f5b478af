import { readFileSync } from 'node:fs';
import path from 'node:path';
import { BUS_ALIAS, offerDevice } from './made-device.ts';
import { guestFor } from './scenario.ts';
import { insertedBy, sorted } from './told.ts';

/** Modules that make devices, each loaded by usherd for a platform device of that name. */
const MAKERS = {
  'usherd-gadget': ['dummy_hcd', 'usb_f_ecm', 'usb_f_acm'],
  'usherd-uhid': ['uhid'],
  'usherd-scsi': ['scsi_debug'],
  'usherd-i2c': ['i2c_stub'],
};

const scenario = await guestFor({
  testModules: true,
  files: {
    'etc/modprobe.d/test.conf': [
      BUS_ALIAS,
      ...Object.entries(MAKERS).flatMap(([name, modules]) => modules.map(module => `alias platform:${name} ${module}`)),
      'options i2c_stub chip_addr=0x48',
      '',
    ].join('\n'),
    'usr/lib/usherd/uhid.js': readFileSync(path.join(import.meta.dirname, 'guest/uhid.js'), 'utf8'),
  },
});

scenario(
  'a USB device of a vendor and product that QEMU has not, made with dummy_hcd, gets its drivers',
  async (t, guest) => {
    await guest.startUsherd();
    t.deepEqual(
      (await offerDevice(guest, 'usherd-gadget')).deliberation?.candidates.map(({ module }) => module),
      ['dummy_hcd', 'usb_f_ecm', 'usb_f_acm'],
    );
    const from = await guest.nextSeqnum();
    await guest.run(
      `mount -t configfs configfs /sys/kernel/config; gadget=/sys/kernel/config/usb_gadget/one; mkdir $gadget; cd $gadget
     echo 0x0bda >idVendor; echo 0x8153 >idProduct; mkdir configs/c.1 functions/ecm.0 functions/acm.0
     ln -s $gadget/functions/ecm.0 configs/c.1/; ln -s $gadget/functions/acm.0 configs/c.1/; ls /sys/class/udc >UDC`,
    );
    const bound = [...(await guest.expectBound('usb', 'r8153_ecm')), ...(await guest.expectBound('usb', 'cdc_acm'))];
    const entries = await guest.history(`--from-seqnum ${from} -s usb`);
    for (const { devpath, driver } of bound) {
      const last = entries.findLast(({ event }) => event.devpath === devpath && event.action === 'add');
      const binds = entries.filter(({ event }) => event.devpath === devpath && event.action === 'bind');
      t.is(last?.state, 'ended');
      t.is(binds.at(-1)?.event.env['DRIVER'], driver);
    }
    const inserted = entries.flatMap(insertedBy);
    t.deepEqual(
      ['r8153_ecm', 'r8152', 'cdc_acm'].filter(module => !inserted.includes(module)),
      [],
    );
    await guest.run('echo "" >/sys/kernel/config/usb_gadget/one/UDC');
    await guest.expectNone('usb', 'cdc_acm');
  },
);

scenario('a HID device made by uhid gets the driver for its vendor', async (t, guest) => {
  await offerDevice(guest, 'usherd-uhid');
  const from = await guest.nextSeqnum();
  await guest.run('setsid node /usr/lib/usherd/uhid.js 04fc 05d8 >/dev/null 2>&1 & echo $! >/run/uhid');
  // hid-generic may have it first: it gives way as soon as the vendor's driver is there (drivers/hid/hid-core.c, __hid_bus_reprobe_drivers).
  const [bound] = await guest.expectBound('hid', 'sunplus');
  const [added] = await guest.storyOf(bound?.devpath ?? '', from);
  t.deepEqual([added?.state, added?.result], ['ended', 'loaded']);
  t.deepEqual(sorted((added?.deliberation?.candidates ?? []).map(({ module }) => module)), [
    'hid_generic',
    'hid_sunplus',
  ]);
});

scenario('a disk made by scsi_debug gets sd', async (t, guest) => {
  const from = await guest.nextSeqnum();
  await offerDevice(guest, 'usherd-scsi');
  const [disk] = await guest.expectBound('scsi', 'sd');
  t.regex(disk?.devpath ?? '', /^\/devices\/pseudo_0\//);
  const [added] = await guest.storyOf(disk?.devpath ?? '', from);
  t.deepEqual(
    [added?.result, insertedBy(added).at(-1), added?.binds.map(({ driver }) => driver)],
    ['loaded', 'sd_mod', ['sd']],
  );
});

scenario('a chip that is named on an i2c bus gets its driver', async (t, guest) => {
  await offerDevice(guest, 'usherd-i2c');
  const from = await guest.nextSeqnum();
  await guest.run(
    'bus=$(grep -l "SMBus stub" /sys/bus/i2c/devices/i2c-*/name); echo lm75 0x48 >${bus%/name}/new_device',
  );
  await guest.until('[ -d /sys/module/lm75 ]');
  const [added] = await guest.history(`--from-seqnum ${from} -s i2c -a add -m lm75`);
  t.deepEqual([added?.event.env['MODALIAS'], added?.result, insertedBy(added).at(-1)], ['i2c:lm75', 'loaded', 'lm75']);
});
