import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../../core/errors.ts';
import { HwdbBin } from '../../../../core/pipeline/4-policy/rules/hwdb/hwdb-bin.ts';
import { HwdbText, parseHwdb } from '../../../../core/pipeline/4-policy/rules/hwdb/hwdb-text.ts';
import { sourceFiles } from '../../../../core/pipeline/4-policy/rules/hwdb/open-hwdb.ts';
import { whyNoProgram } from '../../../support/machine.ts';
import { testUnless } from '../../../support/skip-aloud.ts';

const COMPILED = '/lib/udev/hwdb.bin';
const whyNoHwdb = existsSync(COMPILED) ? whyNoProgram('systemd-hwdb') : `${COMPILED} is not there`;

/** Texts of many kinds: every bus, wildcards in the middle, nothing at all. */
const ASKED = [
  'usb:v046DpC31C:USB Keyboard',
  'usb:v1D6Bp0002d0510dc09dsc00dp01ic09isc00ip00in00',
  'pci:v00008086d000015BCsv000017AAsd00002247bc02sc00i00',
  'pci:v000010DEd00001B80sv00000000sd00000000bc03sc00i00',
  'OUI:001B21AABBCC',
  'acpi:PNP0A08:PNP0A03:',
  'evdev:atkbd:dmi:bvnLENOVO:bvrN1MET60W:bd01/01/2020:svnLENOVO:pn20HQS03P00:pvrThinkPadX1:',
  'evdev:name:ThinkPad Extra Buttons:dmi:bvnLENOVO:bvrX:bd:svnLENOVO:pnX:',
  'mouse:usb:v046dpc077:name:Logitech USB Optical Mouse:',
  'input:b0003v046DpC31Ce0110-e0,1,4,11,14,k71,72,73,74,75,ramlsfw',
  'id-input:modalias:input:b0003v056Ap0357e0000-e0,',
  'sdio:c00v02D0d4330',
  'bluetooth:v000A',
  'ieee1394:node:ven0x0001f2mo000000units',
  'sensor:modalias:acpi:BOSC0200:dmi:bvnAmericanMegatrendsInc.:',
  'nothing:at:all',
  '',
  '*',
  'usb:*',
];

testUnless(whyNoHwdb)('hwdb.bin answers every text as systemd-hwdb does', t => {
  const hwdb = HwdbBin.open(COMPILED);
  for (const modalias of ASKED.filter(text => text !== '')) {
    const { stdout } = spawnSync('systemd-hwdb', ['query', modalias], { encoding: 'utf8' });
    const theirs = stdout.split('\n').filter(line => line !== '');
    const ours = [...hwdb.lookup(modalias)].map(([key, value]) => `${key}=${value}`);
    t.deepEqual({ modalias, found: ours.toSorted() }, { modalias, found: theirs.toSorted() });
  }
});

testUnless(whyNoHwdb)('the files of hwdb.d answer every text as hwdb.bin does', t => {
  const hwdb = HwdbBin.open(COMPILED);
  const parsed = sourceFiles('/').map(file => parseHwdb(readFileSync(file, 'utf8'), file));
  t.deepEqual(
    parsed.flatMap(({ problems }) => problems),
    [],
  );
  const text = new HwdbText(parsed.map(({ records }) => records));
  for (const modalias of ASKED)
    t.deepEqual(
      [modalias, Object.fromEntries(text.lookup(modalias))],
      [modalias, Object.fromEntries(hwdb.lookup(modalias))],
    );
});

test('a later file beats an earlier one, a later line an earlier, and what is wrong is told', t => {
  const { records, problems } = parseHwdb(
    'a:*\n b=1\n c=1 # comment\n\n x=1\na:b*\na:c*\n d=2\n nonsense\nz:*\n',
    'x.hwdb',
  );
  t.deepEqual(
    problems.map(({ place: { line }, message }) => [line, message]),
    [
      [5, 'found a property, wanted a pattern before it'],
      [9, 'found "nonsense", wanted KEY=VALUE'],
      [10, 'found a pattern behind properties, wanted an empty line between'],
      [11, 'the record ends without a property'],
    ],
  );
  const later = parseHwdb('a:b\n c=9\n', 'y.hwdb').records;
  const hwdb = new HwdbText([records, later]);
  t.deepEqual(
    [...hwdb.lookup('a:b')],
    [
      ['b', '1'],
      ['c', '9'],
      ['d', '2'],
    ],
  );
});

/** Runs a look-up that may only end well or by an error of the table. */
function survives(bytes: Buffer): boolean {
  try {
    const hwdb = new HwdbBin(bytes, 'x.bin');
    hwdb.lookup('usb:v1D6Bp0002');
    hwdb.lookup('OUI:001B21');
    return true;
  } catch (error) {
    return error instanceof UsherdError && error.code === 'HWDB_DAMAGED';
  }
}

testUnless(whyNoHwdb)('a hwdb.bin cut off or changed anywhere is told, or answers; it never does anything else', t => {
  const whole = readFileSync(COMPILED);
  for (const end of [0, 7, 79, 80, 1000, whole.length - 1]) t.true(survives(whole.subarray(0, end)));
  fc.assert(
    fc.property(fc.nat(4000), fc.nat(255), (at, byte) => {
      const before = whole[at] ?? 0;
      whole[at] = byte;
      const isFine = survives(whole);
      whole[at] = before;
      return isFine;
    }),
  );
});
