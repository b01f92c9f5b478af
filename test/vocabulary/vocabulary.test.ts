import test from 'ava';
import * as fc from 'fast-check';
import {
  devpathsAbove,
  devpathsConflict,
  parentDevpath,
  parseDevpath,
  type Devpath,
} from '../../core/vocabulary/devpath.ts';
import { errnoName, errnoText } from '../../core/vocabulary/errno.ts';
import { parseKernelRelease } from '../../core/vocabulary/kernel-release.ts';
import { modaliasRefusal } from '../../core/vocabulary/modalias.ts';
import { isPlausibleModuleName, moduleName, moduleNameOfPath } from '../../core/vocabulary/module-name.ts';
import { formatPlace } from '../../core/vocabulary/place.ts';
import { parseSeqnum } from '../../core/vocabulary/seqnum.ts';

const devpath = (text: string): Devpath => text as Devpath;

test('a devpath is absolute and has no empty, "." or ".." part', t => {
  t.is(parseDevpath('/devices/pci0000:00/0000:00:1f.2'), devpath('/devices/pci0000:00/0000:00:1f.2'));
  t.is(parseDevpath('/devices/..hidden/.x'), devpath('/devices/..hidden/.x'));
  for (const bad of [
    '',
    '/',
    'devices/x',
    '/devices/',
    '/devices//x',
    '/devices/../etc',
    '/devices/.',
    '/a\0b',
    `/${'x'.repeat(5000)}`,
  ]) {
    t.is(parseDevpath(bad), undefined, JSON.stringify(bad.slice(0, 20)));
  }
});

test('devpaths conflict when they are one device or one is above the other, by whole parts', t => {
  const conflict = (a: string, b: string): boolean => devpathsConflict(devpath(a), devpath(b));
  t.true(conflict('/devices/a', '/devices/a'));
  t.true(conflict('/devices/a', '/devices/a/b/c'));
  t.true(conflict('/devices/a/b', '/devices/a'));
  t.false(conflict('/devices/veth9', '/devices/veth99'));
  t.false(conflict('/devices/a/b', '/devices/a/c'));
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => t.is(conflict(`/${a}`, `/${b}`), conflict(`/${b}`, `/${a}`))),
  );
});

test('the parent of a devpath is what holds it, and the top has none', t => {
  t.is(parentDevpath(devpath('/devices/a/b')), devpath('/devices/a'));
  t.is(parentDevpath(devpath('/devices')), undefined);
  t.deepEqual(devpathsAbove(devpath('/devices/a/b')), [devpath('/devices/a'), devpath('/devices')]);
});

test('a module has one name, however it is written', t => {
  t.is(moduleName('usb-storage'), moduleName('usb_storage'));
  t.is(moduleNameOfPath('kernel/drivers/usb/storage/usb-storage.ko.xz'), moduleName('usb_storage'));
  t.is(moduleNameOfPath('e1000e.ko'), moduleName('e1000e'));
  for (const bad of ['', '../evil', 'a/b', 'a b', 'x'.repeat(80), 'a\n']) t.false(isPlausibleModuleName(bad), bad);
});

test('an alias that no kernel formats is refused with the reason', t => {
  t.is(modaliasRefusal('pci:v00008086d000010D3sv*'), undefined);
  t.is(modaliasRefusal(''), 'it is empty');
  t.is(modaliasRefusal('-x'), 'it begins with "-"');
  t.is(modaliasRefusal('/etc/passwd'), 'it begins with "/"');
  t.is(modaliasRefusal('usb:v1\n'), 'it has the control byte 0x0a at 6');
  t.is(modaliasRefusal('x'.repeat(2049)), 'it has 2049 bytes, at most 2048 are looked up');
});

test('a seqnum is a positive number of 64 bits', t => {
  t.is(parseSeqnum('18446744073709551615'), 18446744073709551615n as ReturnType<typeof parseSeqnum>);
  for (const bad of ['', '0', '-1', '18446744073709551616', '1.5', '1e3', ' 1', '٣'])
    t.is(parseSeqnum(bad), undefined, bad);
});

test('a kernel release names one folder and cannot leave it', t => {
  t.truthy(parseKernelRelease('6.1.0-56-amd64'));
  t.truthy(parseKernelRelease('6.12.117+deb12-amd64'));
  for (const bad of ['', '.', '..', '../x', 'a/b', '-x', 'a b']) t.is(parseKernelRelease(bad), undefined, bad);
});

test('error numbers have the names and sentences of errno(3), also those nobody knows', t => {
  t.is(errnoName(129), 'EKEYREJECTED');
  t.is(errnoText('EKEYREJECTED'), 'Key was rejected by service');
  t.is(errnoName(4242), 'E4242');
  t.is(errnoText('E4242'), 'Unknown error 4242');
});

test('a place is written so that editors can go there', t => {
  t.is(formatPlace({ file: 'a.conf' }), 'a.conf');
  t.is(formatPlace({ file: 'a.conf', line: 3 }), 'a.conf:3');
  t.is(formatPlace({ file: 'a.conf', line: 3, column: 7 }), 'a.conf:3:7');
  t.is(formatPlace({ file: 'modules.alias.bin', offsetBytes: 64 }), 'modules.alias.bin+0x40');
});
