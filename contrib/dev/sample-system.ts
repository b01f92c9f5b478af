import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** The release of a sample system's kernel. */
export const SAMPLE_RELEASE = '6.1.0-sample';
/** What its driver `sample_net` claims. */
export const SAMPLE_MODALIAS = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';

/** A module's C: what modinfo says of it, a symbol it exports, one it needs, and checksums of both. */
function moduleText(name: string, infos: readonly string[], needs?: string): string {
  const info = [`name=${name}`, 'license=GPL', `vermagic=${SAMPLE_RELEASE} SMP mod_unload `, ...infos];
  const section = (part: string): string => `__attribute__((section("${part}"), used)) static const`;
  return [
    `${section('.modinfo')} char info[] = "${info.join('\\0')}";`,
    `${section('__ksymtab_strings')} char strings[] = "${name}_made";`,
    `int ${name}_made; const int __ksymtab_${name}_made = 1;`,
    ...(needs === undefined ? [] : [`extern int ${needs}_made; int *used = &${needs}_made;`]),
    `${section('__versions')} struct { unsigned long crc; char name[56]; } versions[] = {{ 1, "${needs ?? name}_made" }};`,
    '',
  ].join('\n');
}

/** Modules of a sample system, by their place below kernel/: some as made, one packed. */
const MODULES: Readonly<Record<string, string>> = {
  'lib/sample_common.ko': moduleText('sample_common', ['description=what others need']),
  'drivers/net/sample_net.ko': moduleText(
    'sample_net',
    [
      'alias=pci:v00008086d000010D3sv*sd*bc*sc*i*',
      'alias=pci:v00008086d0000153Asv*sd*bc*sc*i*',
      'alias=usb:v0403p60[0-1]*d*dc*dsc*dp*ic*isc*ip*in*',
      'depends=sample_common',
      'softdep=pre: sample_bus',
      'firmware=sample/sample.bin',
      'parm=debug:how much is said',
      'parmtype=debug:int',
    ],
    'sample_common',
  ),
  'drivers/usb/sample_bus.ko': moduleText('sample_bus', ['alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*', 'depends=']),
  // What machines this is built on have, so that something is planned.
  'drivers/base/sample_any.ko': moduleText('sample_any', [
    ...['acpi*:*', 'cpu:*', 'pci:*', 'platform:*', 'usb:*', 'virtio:*'].map(pattern => `alias=${pattern}`),
    'softdep=pre: sample_common',
    'parmtype=debug:int',
  ]),
  'drivers/char/sample_char.ko.gz': moduleText('sample_char', ['alias=char-major-10-200', 'alias=devname:net/tun']),
};

const FILES: Readonly<Record<string, string>> = {
  'etc/modprobe.d/sample.conf': [
    '# Lines of each kind',
    'alias sample sample_net',
    'blacklist sample_other',
    'options sample_net debug=1',
    'install sample_none /bin/true',
    'remove sample_none /bin/true',
    'softdep sample_char post: sample_bus',
    '',
  ].join('\n'),
  'usr/lib/modprobe.d/sample-too.conf': '# A second folder\nblacklist sample_third\n',
  'proc/cmdline': 'root=/dev/sda1 ro quiet sample_net.debug=2 modprobe.blacklist=sample_fourth\n',
  'proc/modules':
    'sample_net 16384 0 - Live 0x0000000000000000\nsample_common 16384 1 sample_net, Live 0x0000000000000000\n',
  [`lib/modules/${SAMPLE_RELEASE}/modules.order`]: Object.keys(MODULES)
    .map(file => `kernel/${file.replace(/\.gz$/, '')}\n`)
    .join(''),
  [`lib/modules/${SAMPLE_RELEASE}/modules.builtin`]: 'kernel/drivers/tty/sample_tty.ko\n',
  [`lib/modules/${SAMPLE_RELEASE}/modules.builtin.modinfo`]:
    'sample_tty.alias=platform:sample\0sample_tty.license=GPL\0',
};

/** Makes a small system in an empty folder: modules with all that tools read of them, not yet indexed, and configuration. */
export function makeSampleSystem(root: string): void {
  for (const [name, text] of Object.entries(FILES)) write(path.join(root, name), text);
  for (const place of Object.keys(MODULES)) makeModule(root, place, place);
}

/** Has the module at a place become what another is, or itself again. */
export function makeModule(root: string, place: string, like: string): void {
  const file = path.join(root, 'lib/modules', SAMPLE_RELEASE, 'kernel', place);
  const source = `${file}.c`;
  const object = `${file}.o`;
  write(source, MODULES[like] ?? '');
  execFileSync(process.env['CC'] ?? 'cc', ['-c', '-w', '-o', object, source]);
  const bytes = readFileSync(object);
  writeFileSync(file, file.endsWith('.gz') ? gzipSync(bytes) : bytes);
  for (const made of [source, object]) rmSync(made);
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
