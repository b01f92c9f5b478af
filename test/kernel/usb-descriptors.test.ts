import test from 'ava';
import * as fc from 'fast-check';
import { parseUsbDescriptors } from '../../core/kernel/usb-descriptors.ts';
import type { Modalias } from '../../core/vocabulary/modalias.ts';

/** The file of a root hub, as Linux 5.15 has it. */
const ROOT_HUB = Buffer.from(
  [
    '12010002090001406b1d02001505030201',
    '01',
    '0902190001010 0e000'.replaceAll(' ', ''),
    '090400000109000000',
    '0705810304000c',
  ].join(''),
  'hex',
);

/** A device with two interfaces, one of them in two settings: a headset. */
const HEADSET = Buffer.from(
  '12010002000000402e0811c00001010200010902000002010080320904000000010100000904010000010200000904010101010200000904020001030000'.concat(
    '00',
  ),
  'hex',
);

test("a root hub's interface has the modalias the kernel gives it", t => {
  t.deepEqual(parseUsbDescriptors(ROOT_HUB, 'descriptors'), {
    interfaces: ['usb:v1D6Bp0002d0515dc09dsc00dp01ic09isc00ip00in00' as Modalias],
    problems: [],
  });
});

test('every interface is named, each once in whatever settings it has', t => {
  t.deepEqual(
    parseUsbDescriptors(HEADSET, 'descriptors').interfaces.map(alias => alias.slice(alias.indexOf('ic'))),
    ['ic01isc01ip00in00', 'ic01isc02ip00in01', 'ic03isc00ip00in02'],
  );
});

test('a file that is cut off names what is whole before the cut, and says where it ends', t => {
  for (let length = 0; length < ROOT_HUB.length; length++) {
    const { interfaces, problems } = parseUsbDescriptors(ROOT_HUB.subarray(0, length), 'descriptors');
    t.is(interfaces.length, length >= 36 ? 1 : 0, `${length} bytes`);
    t.is(problems.length, [18, 27, 36].includes(length) ? 0 : 1, `${length} bytes`);
  }
});

test('lengths of 0 and 1, and those that reach beyond the end, stop it with their place', t => {
  for (const length of [0, 1, 200]) {
    const bytes = Buffer.concat([ROOT_HUB.subarray(0, 18), Buffer.from([length, 4, 0, 0])]);
    t.deepEqual(parseUsbDescriptors(bytes, 'descriptors'), {
      interfaces: [],
      problems: [
        {
          place: { file: 'descriptors', offsetBytes: 18 },
          message: `a descriptor says it has ${length} bytes, 4 are left`,
        },
      ],
    });
  }
});

const HEX = '[0-9A-F]{2}';
const MODALIAS = new RegExp(
  `^usb:v${HEX}{2}p${HEX}{2}d${HEX}{2}dc${HEX}dsc${HEX}dp${HEX}ic${HEX}isc${HEX}ip${HEX}in${HEX}$`.replaceAll(
    `${HEX}{2}`,
    '[0-9A-F]{4}',
  ),
);
/** Interface descriptors with any content, and any bytes at all. */
const chunk = fc.oneof(
  fc.uint8Array({ minLength: 7, maxLength: 7 }).map(rest => [9, 4, ...rest]),
  fc.uint8Array({ maxLength: 20 }).map(bytes => [...bytes]),
);

test('any bytes are read to an end, and what is named is a modalias', t => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 20 }), chunks => {
      const tail = Buffer.from(chunks.flat());
      for (const file of [Buffer.concat([ROOT_HUB.subarray(0, 18), tail]), tail]) {
        const { interfaces } = parseUsbDescriptors(file, 'f');
        t.deepEqual(
          interfaces.filter(alias => !MODALIAS.test(alias)),
          [],
        );
        t.true(interfaces.length <= file.length / 9);
      }
    }),
  );
});
