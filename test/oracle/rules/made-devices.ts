import type { MadeDevice } from '../../support/made-sys.ts';

const PCI = '/devices/pci0000:00';
const USB = `${PCI}/0000:00:14.0/usb1`;

/** A small computer: what this machine does not have and Debian's rules have something to say about. */
export const MADE_DEVICES: readonly MadeDevice[] = [
  { devpath: PCI },
  ...dmi(),
  pci('0000:00:14.0', 'c0330', '8086:A36D', 'xhci_hcd'),
  usbDevice(USB, '1d6b', '0002', { product: 'xHCI Host Controller', manufacturer: 'Linux', bDeviceClass: '09' }, 0),
  ...stick(),
  ...keyboard(),
  ...pointers(),
  ...networks(),
  ...ataDisk(),
  ...transportDisks(),
  ...nvme(),
  ...serials(),
  ...others(),
];

function device(
  devpath: string,
  subsystem: string,
  uevent: Readonly<Record<string, string>> = {},
  attributes: Readonly<Record<string, string | Buffer>> = {},
  driver?: string,
): MadeDevice {
  const lines = Object.entries(uevent).map(([key, value]) => `${key}=${value}\n`);
  const lineEnded = Object.entries(attributes).map(
    ([name, value]) => [name, typeof value === 'string' ? `${value}\n` : value] as const,
  );
  return {
    devpath,
    subsystem,
    uevent: lines.join(''),
    attributes: Object.fromEntries(lineEnded),
    ...(driver === undefined ? {} : { driver }),
  };
}

function dmi(): MadeDevice[] {
  const modalias =
    'dmi:bvnLENOVO:bvrN1MET60W:bd01/01/2020:svnLENOVO:pn20HQS03P00:pvrThinkPadX1Carbon5th:rvnLENOVO:rn20HQS03P00:';
  return [
    device(
      '/devices/virtual/dmi/id',
      'class/dmi',
      { MODALIAS: modalias },
      { modalias, sys_vendor: 'LENOVO', chassis_type: '10' },
    ),
  ];
}

function pci(
  slot: string,
  kind: string,
  id: string,
  driver: string,
  below = PCI,
  attributes: MadeDevice['attributes'] = {},
): MadeDevice {
  const [vendor = '', model = ''] = id.split(':');
  const [base, sub, prog] = [kind.padStart(6, '0').slice(0, 2), kind.padStart(6, '0').slice(2, 4), kind.slice(-2)];
  const modalias = `pci:v0000${vendor}d0000${model}sv00000000sd00000000bc${base}sc${sub}i${prog}`;
  return device(
    `${below}/${slot}`,
    'pci',
    {
      DRIVER: driver,
      PCI_CLASS: kind,
      PCI_ID: id,
      PCI_SUBSYS_ID: '0000:0000',
      PCI_SLOT_NAME: slot,
      MODALIAS: modalias,
    },
    {
      vendor: `0x${vendor.toLowerCase()}`,
      device: `0x${model.toLowerCase()}`,
      class: `0x${kind.padStart(6, '0')}`,
      modalias,
      ...attributes,
    },
    driver,
  );
}

function usbDevice(
  devpath: string,
  vendor: string,
  product: string,
  attributes: Readonly<Record<string, string | Buffer>>,
  minor: number,
): MadeDevice {
  const number = String(minor + 1).padStart(3, '0');
  return device(
    devpath,
    'usb',
    {
      MAJOR: '189',
      MINOR: String(minor),
      DEVNAME: `bus/usb/001/${number}`,
      DEVTYPE: 'usb_device',
      DRIVER: 'usb',
      PRODUCT: `${vendor}/${product}/100`,
      TYPE: '0/0/0',
      BUSNUM: '001',
      DEVNUM: number,
    },
    { idVendor: vendor, idProduct: product, bcdDevice: '0100', busnum: '1', ...attributes },
    'usb',
  );
}

function usbInterface(above: string, name: string, kind: string, driver: string, modalias: string): MadeDevice {
  const [first = '', second = '', third = ''] = kind.match(/../g) ?? [];
  return device(
    `${above}/${name}`,
    'usb',
    { DEVTYPE: 'usb_interface', DRIVER: driver, PRODUCT: '0/0/0', TYPE: '0/0/0', INTERFACE: kind, MODALIAS: modalias },
    {
      bInterfaceNumber: `0${name.at(-1) ?? '0'}`,
      bInterfaceClass: first,
      bInterfaceSubClass: second,
      bInterfaceProtocol: third,
      modalias,
    },
    driver,
  );
}

/** Descriptors of a device with one interface of these three numbers. */
function descriptors(...kinds: readonly string[]): Buffer {
  const interfaces = kinds.map(kind => Buffer.from(`0904000001${kind}0007058102400001`, 'hex'));
  return Buffer.concat([
    Buffer.from('120100020000004009306415000101020301', 'hex'),
    Buffer.from('09022000010100801e', 'hex'),
    ...interfaces,
  ]);
}

function stick(): MadeDevice[] {
  const at = `${USB}/1-1`;
  const scsi = `${at}/1-1:1.0/host7/target7:0:0/7:0:0:0`;
  return [
    usbDevice(
      at,
      '0951',
      '1666',
      {
        product: 'DataTraveler 3.0 ',
        manufacturer: 'King  ston',
        serial: 'E0D5,5E',
        descriptors: descriptors('080650'),
      },
      1,
    ),
    usbInterface(at, '1-1:1.0', '080650', 'usb-storage', 'usb:v0951p1666d0100dc00dsc00dp00ic08isc06ip50in00'),
    device(`${at}/1-1:1.0/host7`, 'scsi', { DEVTYPE: 'scsi_host' }),
    device(`${at}/1-1:1.0/host7/target7:0:0`, 'scsi', { DEVTYPE: 'scsi_target' }),
    device(
      scsi,
      'scsi',
      { DEVTYPE: 'scsi_device', DRIVER: 'sd', MODALIAS: 'scsi:t-0x00' },
      { vendor: 'Kingston', model: 'DataTraveler 3.0', type: '0', rev: 'PMAP' },
      'sd',
    ),
    device(
      `${scsi}/block/sdb`,
      'class/block',
      { MAJOR: '8', MINOR: '16', DEVNAME: 'sdb', DEVTYPE: 'disk', DISKSEQ: '12' },
      { removable: '1', size: '1000' },
    ),
    device(
      `${scsi}/block/sdb/sdb1`,
      'class/block',
      { MAJOR: '8', MINOR: '17', DEVNAME: 'sdb1', DEVTYPE: 'partition', PARTN: '1', DISKSEQ: '12' },
      { partition: '1' },
    ),
    device(`${scsi}/scsi_generic/sg1`, 'class/scsi_generic', { MAJOR: '21', MINOR: '1', DEVNAME: 'sg1' }),
    device(`${scsi}/bsg/7:0:0:0`, 'class/bsg', { MAJOR: '251', MINOR: '1', DEVNAME: 'bsg/7:0:0:0' }),
  ];
}

function input(
  above: string,
  n: number,
  name: string,
  bits: Readonly<Record<string, string>>,
  bus = '0003',
): MadeDevice[] {
  const at = `${above}/input/input${n}`;
  const { ev = '0', key = '0', rel = '0', abs = '0', properties = '0' } = bits;
  const modalias = `input:b${bus}v046DpC31Ce0110-e0,1,4,11,14,k71,72,73,74,75,ramlsfw`;
  return [
    device(
      at,
      'class/input',
      { PRODUCT: '3/46d/c31c/110', NAME: `"${name}"`, PROP: properties, EV: ev, MODALIAS: modalias },
      {
        name,
        phys: `usb-0000:00:14.0-${n}/input0`,
        modalias,
        properties,
        'id/bustype': bus,
        'id/vendor': '046d',
        'id/product': 'c31c',
        'id/version': '0110',
        'capabilities/ev': ev,
        'capabilities/key': key,
        'capabilities/rel': rel,
        'capabilities/abs': abs,
      },
    ),
    device(`${at}/event${n}`, 'class/input', { MAJOR: '13', MINOR: String(64 + n), DEVNAME: `input/event${n}` }),
  ];
}

function keyboard(): MadeDevice[] {
  const at = `${USB}/1-2`;
  const hid = `${at}/1-2:1.0/0003:046D:C31C.0001`;
  return [
    usbDevice(
      at,
      '046d',
      'c31c',
      {
        product: 'USB Keyboard',
        manufacturer: 'Logitech',
        removable: 'removable',
        descriptors: descriptors('030101', '030000', '030101'),
      },
      2,
    ),
    usbInterface(at, '1-2:1.0', '030101', 'usbhid', 'usb:v046DpC31Cd6401dc00dsc00dp00ic03isc01ip01in00'),
    device(
      hid,
      'hid',
      {
        DRIVER: 'hid-generic',
        HID_ID: '0003:0000046D:0000C31C',
        HID_NAME: 'Logitech USB Keyboard',
        MODALIAS: 'hid:b0003g0001v0000046Dp0000C31C',
      },
      {},
      'hid-generic',
    ),
    device(`${hid}/hidraw/hidraw0`, 'class/hidraw', { MAJOR: '248', MINOR: '0', DEVNAME: 'hidraw0' }),
    ...input(hid, 3, 'Logitech USB Keyboard', {
      ev: '120013',
      key: '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe',
    }),
    device(`${hid}/input/input3/input3::capslock`, 'class/leds'),
  ];
}

function pointers(): MadeDevice[] {
  const serio = '/devices/platform/i8042/serio1';
  return [
    device('/devices/platform/i8042', 'platform', { DRIVER: 'i8042', MODALIAS: 'platform:i8042' }, {}, 'i8042'),
    device(
      serio,
      'serio',
      { DRIVER: 'psmouse', SERIO_TYPE: '01', MODALIAS: 'serio:ty01pr00id00ex00' },
      { modalias: 'serio:ty01pr00id00ex00' },
      'psmouse',
    ),
    ...input(
      serio,
      5,
      'SynPS/2 Synaptics TouchPad',
      { ev: 'b', key: 'e520 10000 0 0 0 0', abs: '660800011000003', properties: '5' },
      '0011',
    ),
    ...input(serio, 6, 'PS/2 Generic Mouse', { ev: '7', key: '70000 0 0 0 0', rel: '3' }, '0011'),
    ...input(serio, 7, 'TPPS/2 IBM TrackPoint', { ev: '7', key: '70000 0 0 0 0', rel: '3', properties: '21' }, '0011'),
    ...input(serio, 8, 'Gamepad', { ev: '20000b', key: '7fdb000000000000 0 0 0 0', abs: '3003f' }),
    ...input(serio, 9, 'Wacom Pen', { ev: 'b', key: '1c03 0 0 0 0 0', abs: '1000003', properties: '2' }, '0018'),
    ...input(
      serio,
      10,
      'Touchscreen',
      { ev: 'b', key: '400 0 0 0 0 0', abs: '260800000000003', properties: '2' },
      '0018',
    ),
    ...input(serio, 11, 'ST LIS3LV02DL Accelerometer', { ev: '9', abs: '7' }, '0019'),
    ...input(serio, 12, 'Lid Switch', { ev: '21' }, '0019'),
    ...input(serio, 13, 'Power Button', { ev: '3', key: '10000000000000 0' }, '0019'),
    ...input(serio, 14, 'wheel only', { ev: '5', rel: '100' }, '0019'),
  ];
}

function netDevice(
  devpath: string,
  index: number,
  attributes: Readonly<Record<string, string>>,
  devtype?: string,
): MadeDevice {
  const name = devpath.slice(devpath.lastIndexOf('/') + 1);
  return device(
    devpath,
    'class/net',
    { ...(devtype === undefined ? {} : { DEVTYPE: devtype }), INTERFACE: name, IFINDEX: String(index) },
    { type: '1', ifindex: String(index), iflink: String(index), addr_assign_type: '0', dev_port: '0', ...attributes },
  );
}

function networks(): MadeDevice[] {
  const bridge = `${PCI}/0000:00:1c.0`;
  const config = Buffer.alloc(64);
  config[0x0e] = 0x80;
  const at = `${USB}/1-4`;
  return [
    pci('0000:00:1c.0', '60400', '8086:A338', 'pcieport'),
    pci('0000:02:00.0', '20000', '8086:10D3', 'e1000e', bridge, { config, acpi_index: '3', label: 'Onboard LAN' }),
    netDevice(`${bridge}/0000:02:00.0/net/eth0`, 21, { address: '00:1b:21:aa:bb:cc' }),
    pci('0000:00:19.0', '28000', '8086:A370', 'iwlwifi'),
    netDevice(`${PCI}/0000:00:19.0/net/wlan0`, 22, { address: '7c:b2:7d:11:22:33' }, 'wlan'),
    pci('0000:00:1f.6', '20000', '8086:15BC', 'e1000e', PCI, { index: '1' }),
    netDevice(`${PCI}/0000:00:1f.6/net/eth1`, 23, { address: '54:ee:75:00:00:01', dev_port: '2', phys_port_name: '' }),
    device(`${PCI}/0000:00:1f.6/virtio9`, 'virtio', { MODALIAS: 'virtio:d00000001v00001AF4' }),
    netDevice(`${PCI}/0000:00:1f.6/virtio9/net/eth2`, 26, { address: '54:ee:75:00:00:02', phys_port_name: 'p1' }),
    usbDevice(
      at,
      '0b95',
      '1790',
      { product: 'AX88179', manufacturer: 'ASIX', serial: '0000', descriptors: descriptors('ffff00') },
      4,
    ),
    usbInterface(at, '1-4:2.1', 'ffff00', 'ax88179', 'usb:v0B95p1790d0100dcFFdscFFdp00icFFiscFFip00in00'),
    netDevice(`${at}/1-4:2.1/net/eth3`, 24, { address: '00:0e:c6:00:00:01' }),
    netDevice('/devices/virtual/net/br0', 25, { address: '02:00:00:00:00:01', addr_assign_type: '3' }, 'bridge'),
  ];
}

function ataDisk(): MadeDevice[] {
  const at = `${PCI}/0000:00:17.0`;
  const scsi = `${at}/ata3/host2/target2:0:0/2:0:0:0`;
  return [
    pci('0000:00:17.0', '10601', '8086:A352', 'ahci'),
    { devpath: `${at}/ata3` },
    device(`${at}/ata3/ata_port/ata3`, 'class/ata_port', {}, { port_no: '3' }),
    device(`${at}/ata3/host2`, 'scsi', { DEVTYPE: 'scsi_host' }),
    device(`${at}/ata3/host2/target2:0:0`, 'scsi', { DEVTYPE: 'scsi_target' }),
    device(
      scsi,
      'scsi',
      { DEVTYPE: 'scsi_device', MODALIAS: 'scsi:t-0x00' },
      { vendor: 'ATA     ', model: 'Samsung SSD 860 ', type: '0', rev: '3B6Q' },
    ),
    device(
      `${scsi}/block/sda`,
      'class/block',
      { MAJOR: '8', MINOR: '0', DEVNAME: 'sda', DEVTYPE: 'disk', DISKSEQ: '1' },
      { removable: '0' },
    ),
    device(
      `${scsi}/block/sda/sda2`,
      'class/block',
      { MAJOR: '8', MINOR: '2', DEVNAME: 'sda2', DEVTYPE: 'partition', PARTN: '2' },
      { partition: '2' },
    ),
    device(`${at}/ata4/host3/target3:0:0/3:0:0:0/block/sr0`, 'class/block', {
      MAJOR: '11',
      MINOR: '0',
      DEVNAME: 'sr0',
      DEVTYPE: 'disk',
    }),
  ];
}

function nvme(): MadeDevice[] {
  const at = `${PCI}/0000:00:1d.0/nvme/nvme0`;
  return [
    pci('0000:00:1d.0', '10802', '144D:A808', 'nvme'),
    device(
      at,
      'class/nvme',
      { MAJOR: '240', MINOR: '0', DEVNAME: 'nvme0' },
      { model: 'Samsung SSD 970 EVO 500GB       ', serial: 'S466NX0K  ', firmware_rev: '2B2QEXE7' },
    ),
    device(
      `${at}/nvme0n1`,
      'class/block',
      { MAJOR: '259', MINOR: '0', DEVNAME: 'nvme0n1', DEVTYPE: 'disk' },
      {
        nsid: '1',
        wwid: 'eui.0025385b',
        removable: '0',
        'device/model': 'Samsung SSD 970 EVO 500GB       ',
        'device/serial': 'S466NX0K  ',
      },
    ),
    device(
      `${at}/nvme0n1/nvme0n1p3`,
      'class/block',
      { MAJOR: '259', MINOR: '3', DEVNAME: 'nvme0n1p3', DEVTYPE: 'partition', PARTN: '3' },
      { partition: '3' },
    ),
  ];
}

function serials(): MadeDevice[] {
  const at = `${USB}/1-3`;
  return [
    usbDevice(
      at,
      '0403',
      '6001',
      { product: 'FT232R USB UART', manufacturer: 'FTDI', serial: 'A50285BI', descriptors: descriptors('ffffff') },
      3,
    ),
    usbInterface(at, '1-3:1.0', 'ffffff', 'ftdi_sio', 'usb:v0403p6001d0600dc00dsc00dp00icFFiscFFipFFin00'),
    device(`${at}/1-3:1.0/ttyUSB0`, 'usb-serial', { DRIVER: 'ftdi_sio' }, {}, 'ftdi_sio'),
    device(`${at}/1-3:1.0/ttyUSB0/tty/ttyUSB0`, 'class/tty', { MAJOR: '188', MINOR: '0', DEVNAME: 'ttyUSB0' }),
    device(
      `${at}/1-3:1.0/video4linux/video0`,
      'class/video4linux',
      { MAJOR: '81', MINOR: '0', DEVNAME: 'video0' },
      { index: '0', name: 'Camera: A/B' },
    ),
  ];
}

function others(): MadeDevice[] {
  return [
    pci('0000:00:02.0', '30000', '8086:3E9B', 'i915'),
    device(`${PCI}/0000:00:02.0/drm/card0`, 'class/drm', {
      MAJOR: '226',
      MINOR: '0',
      DEVNAME: 'dri/card0',
      DEVTYPE: 'drm_minor',
    }),
    device(`${PCI}/0000:00:02.0/drm/renderD128`, 'class/drm', {
      MAJOR: '226',
      MINOR: '128',
      DEVNAME: 'dri/renderD128',
      DEVTYPE: 'drm_minor',
    }),
    device(`${PCI}/0000:00:02.0/graphics/fb0`, 'class/graphics', { MAJOR: '29', MINOR: '0', DEVNAME: 'fb0' }),
    pci('0000:00:1f.3', '40300', '8086:A348', 'snd_hda_intel'),
    device(`${PCI}/0000:00:1f.3/sound/card0`, 'class/sound', { SOUND_INITIALIZED: '1' }, { id: 'PCH', number: '0' }),
    device(`${PCI}/0000:00:1f.3/sound/card0/controlC0`, 'class/sound', {
      MAJOR: '116',
      MINOR: '2',
      DEVNAME: 'snd/controlC0',
    }),
    device(
      '/devices/pnp0/00:01/rtc/rtc0',
      'class/rtc',
      { MAJOR: '249', MINOR: '0', DEVNAME: 'rtc0' },
      { name: 'rtc_cmos', hctosys: '1' },
    ),
    device('/devices/virtual/misc/kvm', 'class/misc', { MAJOR: '10', MINOR: '232', DEVNAME: 'kvm' }),
    device('/devices/virtual/misc/uinput', 'class/misc', {
      MAJOR: '10',
      MINOR: '223',
      DEVNAME: 'uinput',
      MODALIAS: 'devname:uinput',
    }),
    device('/devices/virtual/block/loop7', 'class/block', {
      MAJOR: '7',
      MINOR: '7',
      DEVNAME: 'loop7',
      DEVTYPE: 'disk',
    }),
    device(
      '/devices/virtual/block/dm-0',
      'class/block',
      { MAJOR: '253', MINOR: '0', DEVNAME: 'dm-0', DEVTYPE: 'disk' },
      { 'dm/name': 'vg-root', 'dm/uuid': 'LVM-abc', 'dm/suspended': '0' },
    ),
    device('/devices/virtual/firmware/loading', 'class/firmware', { FIRMWARE: 'x.bin' }, { loading: '0' }),
    device(
      '/devices/pci0000:00/0000:00:1f.4/i2c-0/0-0018/iio:device0',
      'iio',
      { MAJOR: '247', MINOR: '0', DEVNAME: 'iio:device0', DEVTYPE: 'iio_device' },
      { name: 'accel_3d' },
    ),
    device(
      '/devices/LNXSYSTM:00/LNXPWRBN:00',
      'acpi',
      { DRIVER: 'button', MODALIAS: 'acpi:LNXPWRBN:' },
      { hid: 'LNXPWRBN' },
      'button',
    ),
    device('/devices/virtual/vc/vcs3', 'class/vc', { MAJOR: '7', MINOR: '3', DEVNAME: 'vcs3' }),
    device('/devices/virtual/tty/tty3', 'class/tty', { MAJOR: '4', MINOR: '3', DEVNAME: 'tty3' }),
    device('/devices/platform/mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0', 'class/block', {
      MAJOR: '179',
      MINOR: '0',
      DEVNAME: 'mmcblk0',
      DEVTYPE: 'disk',
    }),
  ];
}

/** A SCSI disk below `above`, which is on its transport, with its block device. */
function scsiDisk(above: string, numbers: string, name: string, minor: number): MadeDevice[] {
  const target = `${above}/target${numbers.slice(0, numbers.lastIndexOf(':'))}`;
  const scsi = `${target}/${numbers}`;
  return [
    device(target, 'scsi', { DEVTYPE: 'scsi_target' }),
    device(
      scsi,
      'scsi',
      { DEVTYPE: 'scsi_device', DRIVER: 'sd', MODALIAS: 'scsi:t-0x00' },
      { vendor: 'ACME', model: 'ARRAY', type: '0', rev: '1.0' },
      'sd',
    ),
    device(
      `${scsi}/block/${name}`,
      'class/block',
      { MAJOR: '65', MINOR: String(minor), DEVNAME: name, DEVTYPE: 'disk' },
      { removable: '0' },
    ),
  ];
}

/** Disks whose place is named by what they are reached by: Fibre Channel, SAS in three ways, iSCSI, Hyper-V. */
function transportDisks(): MadeDevice[] {
  const fibre = `${PCI}/0000:00:0a.0`;
  const sas = `${PCI}/0000:00:0b.0`;
  const remote = `${fibre}/host10/rport-10:0-1`;
  const expander = `${sas}/host11/port-11:0/expander-11:0`;
  const session = '/devices/platform/host12/session3';
  const vmbus = '/devices/LNXSYSTM:00/VMBUS:00/0000000000000000';
  const end = (path: string, name: string, phy: string, address: string): MadeDevice[] => [
    { devpath: `${path}/${name}` },
    device(`${path}/${name}/sas_device/${name}`, 'class/sas_device', {}, { phy_identifier: phy, sas_address: address }),
  ];
  const port = (path: string, name: string, phys: string): MadeDevice[] => [
    { devpath: `${path}/${name}` },
    device(`${path}/${name}/sas_port/${name}`, 'class/sas_port', {}, { num_phys: phys }),
  ];
  return [
    pci('0000:00:0a.0', 'c0400', '1077:2532', 'qla2xxx'),
    pci('0000:00:0b.0', '10700', '1000:0072', 'mpt3sas'),
    device(`${fibre}/host10`, 'scsi', { DEVTYPE: 'scsi_host' }),
    { devpath: remote },
    ...scsiDisk(remote, '10:0:0:1', 'sdq', 0),
    device(`${remote}/target10:0:0/fc_transport/target10:0:0`, 'class/fc_transport', {}, { port_name: '0x50060e8010' }),
    ...scsiDisk(remote, '10:0:0:16641', 'sdr', 16),
    device(`${sas}/host11`, 'scsi', { DEVTYPE: 'scsi_host' }),
    ...port(`${sas}/host11`, 'port-11:0', '4'),
    ...end(`${sas}/host11/port-11:0`, 'expander-11:0', '0', '0x500304800'),
    ...port(expander, 'port-11:0:5', '1'),
    ...end(`${expander}/port-11:0:5`, 'end_device-11:0:5', '5', '0x5000c500a'),
    ...scsiDisk(`${expander}/port-11:0:5/end_device-11:0:5`, '11:0:5:0', 'sds', 32),
    ...port(`${sas}/host11`, 'port-11:1', '1'),
    ...end(`${sas}/host11/port-11:1`, 'end_device-11:1', '3', '0x5000c500b'),
    ...scsiDisk(`${sas}/host11/port-11:1/end_device-11:1`, '11:0:1:0', 'sdt', 48),
    ...port(`${sas}/host11`, 'port-11:2', '2'),
    ...end(`${sas}/host11/port-11:2`, 'end_device-11:2', '6', '0x5000c500c'),
    ...scsiDisk(`${sas}/host11/port-11:2/end_device-11:2`, '11:0:2:0', 'sdu', 64),
    device('/devices/platform/host12', 'scsi', { DEVTYPE: 'scsi_host' }),
    { devpath: session },
    device(
      `${session}/iscsi_session/session3`,
      'class/iscsi_session',
      {},
      { targetname: 'iqn.2026-11.org.example:disk' },
    ),
    { devpath: `${session}/connection3:0` },
    device(
      `${session}/connection3:0/iscsi_connection/connection3:0`,
      'class/iscsi_connection',
      {},
      { persistent_address: '192.0.2.7', persistent_port: '3260' },
    ),
    ...scsiDisk(session, '12:0:0:2', 'sdv', 80),
    device(vmbus, 'vmbus', {}, { device_id: '{00000000-0001-8899-0000-000000000000}' }),
    device(`${vmbus}/host13`, 'scsi', { DEVTYPE: 'scsi_host' }),
    ...scsiDisk(`${vmbus}/host13`, '13:0:0:0', 'sdw', 96),
  ];
}
