import test from 'ava';
import * as fc from 'fast-check';
import { parseModaliasesHeader } from '../../../core/drivers/apt/modaliases-header.ts';
import { parseStanza } from '../../../core/drivers/index/deb822.ts';
import { parseComponent } from '../../../core/drivers/index/dep11.ts';
import { licenceClassOfRpm, parseRpmPackage } from '../../../core/drivers/index/rpm-primary.ts';

test('fields of a stanza have their values, continued ones whole, and their lines', t => {
  const stanza = parseStanza('Package: a\n# no field\nDescription: one\n two\n\tthree\nno field\nPACKAGE: b\n');
  t.deepEqual(Object.fromEntries(stanza), {
    package: { value: 'a', line: 0 },
    description: { value: 'one\ntwo\nthree', line: 2 },
  });
});

test('a Modaliases header names modules and the patterns each claims', t => {
  const complaints: string[] = [];
  const header =
    'nvidia(pci:v000010DEd00001DB1sv*sd*bc03sc*i*, pci:v000010DEd00001DB3sv*sd*bc03sc*i*), nvidia_drm(),x(y*)';
  t.deepEqual(
    parseModaliasesHeader(header, text => complaints.push(text)),
    [
      {
        module: 'nvidia',
        patterns: ['pci:v000010DEd00001DB1sv*sd*bc03sc*i*', 'pci:v000010DEd00001DB3sv*sd*bc03sc*i*'],
      },
      { module: 'nvidia_drm', patterns: [] },
      { module: 'x', patterns: ['y*'] },
    ],
  );
  t.deepEqual(complaints, []);
});

test('what of a header is not sound is told and left out, the rest is taken', t => {
  const complaints: string[] = [];
  const header = '../evil(a*), good(b*, c\u0001d), bad name(e*), cut(f*';
  t.deepEqual(
    parseModaliasesHeader(header, text => complaints.push(text)),
    [{ module: 'good', patterns: ['b*'] }],
  );
  t.is(complaints.length, 4);
  t.regex(complaints.join('\n'), /"\.\.\/evil".*\n.*no modalias can match.*\n.*"bad name".*\n.*"cut\(f\*"|"cut"/);
});

test('a component of DEP-11 has its package, modaliases and firmware', t => {
  const component = parseComponent(
    [
      'Type: firmware',
      'ID: org.example.fw',
      'Package: firmware-example',
      'Description:',
      '  C: >-',
      '    <p>modaliases:',
      'Provides:',
      '  binaries:',
      '  - tool',
      '  modaliases:',
      '  - usb:v1164p0602d*',
      "  - 'usb:v0694p0002d*'",
      '  firmware:',
      '  - type: runtime',
      '    file: intel/dsp.bin',
      '  - file: "other.fw"',
      '    type: runtime',
      'Releases:',
      '- modaliases:',
    ].join('\n'),
  );
  t.deepEqual(component, {
    package: 'firmware-example',
    type: 'firmware',
    modaliases: ['usb:v1164p0602d*', 'usb:v0694p0002d*'],
    firmware: ['intel/dsp.bin', 'other.fw'],
  });
  t.is(parseComponent('Type: x\nPackage: ../x\n'), undefined);
});

const RPM = `<package type="rpm">
  <name>kmod-acme-6.8.5-301.fc40</name>
  <arch>x86_64</arch>
  <version epoch="1" ver="2.3" rel="4.fc40"/>
  <checksum type="sha256" pkgid="YES">${'ab'.repeat(32)}</checksum>
  <summary>Driver &amp; more</summary>
  <format>
    <rpm:license>Proprietary</rpm:license>
    <rpm:provides>
      <rpm:entry name="kmod-acme" flags="EQ"/>
      <rpm:entry name="modalias(pci:v00001234d000011E8sv*sd*bc*sc*i*)"/>
      <rpm:entry name="modalias(kernel-default:usb:v1164p0602d%2A)"/>
    </rpm:provides>
  </format>`;

test('an rpm package has its patterns, with the kernel flavour and escapes of its distribution taken off', t => {
  t.deepEqual(parseRpmPackage(RPM), {
    name: 'kmod-acme-6.8.5-301.fc40',
    version: '1:2.3-4.fc40',
    architecture: 'x86_64',
    license: 'Proprietary',
    description: 'Driver & more',
    modaliases: ['pci:v00001234d000011E8sv*sd*bc*sc*i*', 'usb:v1164p0602d*'],
    sha256: 'ab'.repeat(32),
    releases: ['6.8.5-301.fc40'],
  });
  t.is(parseRpmPackage(RPM.slice(0, 40)), undefined);
  t.deepEqual(['GPLv2', 'Proprietary', ''].map(licenceClassOfRpm), ['free', 'proprietary', 'unknown']);
});

test('whatever these texts are, their readers give values and throw nothing', t => {
  const unit = fc.constantFrom(
    'a',
    'Package: a\n',
    'Modaliases: x(',
    ')',
    ',',
    '\n',
    ' - ',
    '  modaliases:\n',
    '<name>',
    '"',
    '\u0000',
    'modalias(',
    'ü',
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 80 }), text => {
        parseStanza(text);
        parseComponent(text);
        parseRpmPackage(text);
        parseModaliasesHeader(text, () => {});
      }),
    ),
  );
});
