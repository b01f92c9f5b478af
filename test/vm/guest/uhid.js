// Makes a HID device of any vendor and product: node uhid.js VENDOR PRODUCT, in hexadecimal. It stays until this ends.
// Source: Documentation/hid/uhid.rst; the event UHID_CREATE2 of linux/uhid.h.
const fs = require('node:fs');
const [vendor, product] = process.argv.slice(2).map(text => parseInt(text, 16));
const UHID_CREATE2 = 11;
const BUS_USB = 3;
// A mouse with three buttons and two axes.
const descriptor = Buffer.from(
  '05010902a1010901a100050919012903150025019503750181029501750581010501093009311581257f750895028106c0c0',
  'hex',
);
const event = Buffer.alloc(4380);
event.writeUInt32LE(UHID_CREATE2, 0);
event.write('usherd test device', 4);
event.writeUInt16LE(descriptor.length, 260);
event.writeUInt16LE(BUS_USB, 262);
event.writeUInt32LE(vendor, 264);
event.writeUInt32LE(product, 268);
descriptor.copy(event, 280);
const fd = fs.openSync('/dev/uhid', 'r+');
fs.writeSync(fd, event);
setInterval(() => {}, 1000);
