import test from 'ava';
import * as fc from 'fast-check';
import { importUmockdev } from '../../contrib/dev/import-umockdev.ts';
import { parseRecording } from '../../core/pipeline/1-intake/recording.ts';
import { replay } from '../../core/pipeline/1-intake/replay-source.ts';
import { KeepingSink } from '../pipeline/1-intake/keeping-sink.ts';

/** As umockdev-record writes a stick and its hub, shortened. */
const DUMP = `P: /devices/pci0000:00/0000:00:1d.0/usb2/2-1
N: bus/usb/002/002=12011002
S: char/189:129
E: DEVNAME=/dev/bus/usb/002/002
E: DEVTYPE=usb_device
E: ID_VENDOR=SanDisk
E: MODALIAS=usb:v0781p5567
E: SUBSYSTEM=usb
E: TAGS=:seat:
A: idVendor=0781\\n
A: product=Cruzer \\\\ Blade\\n
H: descriptors=12010002
L: driver=../../../../../bus/usb/drivers/usb

P: /devices/pci0000:00/0000:00:1d.0
E: SUBSYSTEM=pci
E: DRIVER=ehci_hcd

P: /devices/pci0000:00
A: power/control=auto\\n
`;

test('a dump becomes a recording that adds its devices parents first, with what the kernel would send', async t => {
  const { recording, problems } = importUmockdev(DUMP, 'stick.umockdev');
  t.deepEqual(problems, []);
  const sink = new KeepingSink();
  const described: unknown[] = [];
  const parsed = parseRecording(recording, 'stick.uevents');
  await replay(parsed, sink, {
    isPaced: false,
    sysfs: ({ devpath, attrs, links }) => described.push([devpath, { ...attrs }, { ...links }]),
  });
  t.deepEqual(sink.rejections, []);
  t.deepEqual(
    sink.events.map(({ env }) => ({ ...env })),
    [
      {
        ACTION: 'add',
        DEVPATH: '/devices/pci0000:00/0000:00:1d.0',
        SUBSYSTEM: 'pci',
        DRIVER: 'ehci_hcd',
        SEQNUM: '2',
      },
      {
        ACTION: 'add',
        DEVPATH: '/devices/pci0000:00/0000:00:1d.0/usb2/2-1',
        SUBSYSTEM: 'usb',
        DEVNAME: 'bus/usb/002/002',
        DEVTYPE: 'usb_device',
        MODALIAS: 'usb:v0781p5567',
        SEQNUM: '3',
      },
    ],
  );
  t.deepEqual(described, [
    ['/devices/pci0000:00', { 'power/control': 'auto' }, {}],
    ['/devices/pci0000:00/0000:00:1d.0', {}, {}],
    [
      '/devices/pci0000:00/0000:00:1d.0/usb2/2-1',
      { idVendor: '0781', product: 'Cruzer \\ Blade' },
      { driver: '../../../../../bus/usb/drivers/usb' },
    ],
  ]);
});

test('each line of a dump that makes no sense is told with its number', t => {
  const { problems } = importUmockdev('E: A=1\nP: ../etc\nP: /devices/a\nE: A\nX: 1\n', 'bad');
  t.deepEqual(
    problems.map(({ place, message }) => `${place.line}: ${message}`),
    [
      '1: the line belongs to no device: a block begins with "P: /devices/…"',
      '2: "../etc" is not a path below /sys',
      '4: "A" wants the form name=value',
      '5: lines that begin with "X:" are not known',
    ],
  );
});

test('whatever a dump holds, the recording made of it can be read', t => {
  const line = fc.oneof(
    fc.constantFrom('P: /devices/a', 'P: /devices/a/b', 'E: SUBSYSTEM=s', 'A: a=1', 'L: l=x', '', '# text'),
    fc.string(),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(line), lines => {
        const { recording } = importUmockdev(lines.join('\n'), 'any');
        t.deepEqual(parseRecording(recording, 'any').problems, []);
      }),
    ),
  );
});
