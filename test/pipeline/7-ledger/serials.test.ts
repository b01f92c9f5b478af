import test from 'ava';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../../core/errors.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { isIdentityKey } from '../../../core/pipeline/7-ledger/identity-keys.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { SerialHider } from '../../../core/pipeline/7-ledger/serial-hider.ts';
import { obtainSerialKey, readSerialKey, serialKeyFile } from '../../../core/pipeline/7-ledger/serial-key.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { mouseAdded, mouseDeliberation, RUN, scratchFolder } from './samples.ts';

const SERIAL = '001CC0EC34F1BB81';
const STICK = '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb' as Devpath;
const CARD = '/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/net/enx00e04c680001' as Devpath;
const HASH = /^hmac:[0-9a-f]{24}$/;

function withEnv(event: Uevent, more: Readonly<Record<string, string>>): Uevent {
  return { ...event, env: Object.assign(Object.create(null), event.env, more) as Record<string, string> };
}

/** What udevd says of a stick, and of a network adapter it named by its address. */
const stick = withEnv(mouseAdded({ devpath: STICK, subsystem: 'block' }), {
  ID_SERIAL: `Kingston_DataTraveler_${SERIAL}-0:0`,
  ID_SERIAL_SHORT: SERIAL,
  ID_VENDOR: 'Kingston',
  DEVLINKS: `/dev/disk/by-id/usb-Kingston_DataTraveler_${SERIAL}-0:0 /dev/disk/by-path/pci-0000:00:14.0-usb-0:2:1.0`,
  SYSTEMD_WANTS: `check@${SERIAL}.service`,
});
const card = withEnv(mouseAdded({ devpath: CARD, subsystem: 'net' }), {
  INTERFACE: 'enx00e04c680001',
  ID_NET_NAME_MAC: 'enx00e04c680001',
});
const keyboard = withEnv(mouseAdded({ subsystem: 'hid' }), {
  HID_UNIQ: 'f4:73:35:9b:11:05',
  HID_PHYS: '00:E0:4C:68:00:01',
});
const PLAIN = [SERIAL, '00e04c680001', '00:e0:4c:68:00:01', '00:E0:4C:68:00:01', 'f4:73:35:9b:11:05'];

function bytesOf(file: string): string {
  return [file, `${file}-wal`, `${file}-kept`].map(each => readFileSync(each, 'latin1')).join('');
}

test('with hidden serials no byte of the file, its log or what is kept has one, and each is still found by who has the key', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const ledger = Ledger.open(file, { hidesSerials: true });
  ledger.beginRun(RUN);
  const entry = ledger.record(stick);
  const reason = `no stick but ours: ${SERIAL}`;
  const { decisions, device, ...rest } = mouseDeliberation();
  const opinions = decisions.flatMap(each => each.opinions.map(opinion => ({ ...opinion, reason })));
  const [first] = opinions;
  ledger.open(entry, {
    ...rest,
    device: { ...device, devpath: CARD },
    decisions: decisions.map(each => ({ ...each, opinions, ...(first !== undefined && { winner: first }) })),
  });
  ledger.commit(entry, [{ kind: 'failed', module: moduleName('usbhid'), reason: `program said ${SERIAL}`, tookMs: 1 }]);
  const [second, third] = [ledger.record(card), ledger.record(keyboard)];
  ledger.bound(second, CARD, 'r8152');
  ledger.incident({ kind: 'rule-failed', devpath: CARD, place: '10.rules:1', message: `${SERIAL} took too long` });
  const seen = { devpath: STICK };
  ledger.pend({ entry, subsystem: 'block', modules: [], reasons: [reason], seen, expiresAtMs: 1 });
  ledger.keep();
  t.true(readFileSync(`${file}-kept`, 'latin1').includes('Kingston'));
  ledger.flush();
  const bytes = bytesOf(file);
  t.deepEqual(
    PLAIN.filter(plain => bytes.includes(plain)),
    [],
  );
  t.true(bytes.includes('Kingston'), 'the rest is there');

  const history = History.open(file);
  const found = (key: string, value: string): number[] =>
    [...history.query({ env: { key, values: [value] } })].map(({ id }) => id);
  t.deepEqual(found('ID_SERIAL_SHORT', SERIAL), [entry]);
  t.deepEqual(found('ID_SERIAL_SHORT', 'another'), []);
  t.deepEqual(found('ID_VENDOR', 'Kingston'), [entry]);
  t.deepEqual(found('HID_UNIQ', 'F4-73-35-9B-11-05'), [third], 'however the address is written');
  t.deepEqual(
    [...history.query({ device: CARD })].map(({ id }) => id),
    [second],
  );
  t.is(history.bindsOf(CARD)[0]?.driver, 'r8152');
  const env = history.entryById(entry)?.event.env ?? {};
  t.regex(env['ID_SERIAL_SHORT'] ?? '', HASH);
  t.regex(env['SYSTEMD_WANTS'] ?? '', /^check@hmac:[0-9a-f]{24}\.service$/);
  t.regex(
    env['DEVLINKS'] ?? '',
    /^\/dev\/disk\/by-id\/hmac:[0-9a-f]{24} \/dev\/disk\/by-path\/pci-0000:00:14\.0-usb-0:2:1\.0$/,
  );
  const [, net] = [...history.query({ order: 'oldest-first' })];
  t.deepEqual(
    [net?.event.env['INTERFACE'], net?.event.env['ID_NET_NAME_MAC']],
    [`${net?.event.devpath.split('/').at(-1)}`, net?.event.env['INTERFACE']],
  );
  t.deepEqual(history.verify().problems, []);
  history.close();
  ledger.close('test over');
  t.deepEqual(
    PLAIN.filter(plain => readFileSync(file, 'latin1').includes(plain)),
    [],
  );
});

test('hiding can be turned on later: what was plain stays, and both are found by the plain number', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const ledger = Ledger.open(file);
  ledger.beginRun(RUN);
  const plain = ledger.record(stick);
  ledger.flush();
  t.is(readSerialKey(serialKeyFile(file)), undefined, 'no key is made before it is needed');
  ledger.hideSerials(true);
  const hidden = ledger.record(stick);
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(
    [...history.query({ env: { key: 'ID_SERIAL_SHORT', values: [SERIAL] } })].map(({ id }) => id),
    [hidden, plain],
  );
  t.is(history.sql('SELECT DISTINCT devpath FROM identities', 9).rows.length, 1);
  history.close();
});

test('events from before it was noted where a serial number was seen are found, too', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const first = Ledger.open(file);
  first.beginRun(RUN);
  const old = first.record(stick);
  first.close('brought back to schema 3');
  const db = new Database(file);
  db.exec('DROP TABLE identity; DROP TABLE kept');
  db.pragma('user_version = 3');
  db.close();
  const ledger = Ledger.open(file);
  ledger.beginRun(RUN);
  const later = ledger.record(stick);
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(
    [...history.query({ env: { key: 'ID_SERIAL_SHORT', values: [SERIAL] } })].map(({ id }) => id),
    [later, old],
  );
  history.close();
});

test('the key is made once, for its owner only, and one that others could read is refused', t => {
  const file = path.join(scratchFolder(t), 'serial.key');
  const key = obtainSerialKey(file);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.deepEqual(obtainSerialKey(file), key);
  chmodSync(file, 0o640);
  t.regex(t.throws(() => readSerialKey(file), { instanceOf: UsherdError }).message, /mode 640\), wanted 600$/);
  chmodSync(file, 0o600);
  writeFileSync(file, key.subarray(0, 20));
  t.regex(t.throws(() => obtainSerialKey(file), { instanceOf: UsherdError }).message, /it has 20 bytes, wanted 32$/);
});

test('while the key cannot be used nothing is written in plain', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  writeFileSync(serialKeyFile(file), 'short', { mode: 0o600 });
  const codes: string[] = [];
  const ledger = Ledger.open(file, {
    hidesSerials: true,
    onTrouble: trouble => codes.push(trouble.kind === 'not-written' ? trouble.code : trouble.kind),
  });
  ledger.beginRun(RUN);
  ledger.record(stick);
  t.is(ledger.flush(), 'in-memory');
  t.deepEqual(codes, ['KEY_UNUSABLE']);
  t.false(bytesOf(file).includes(SERIAL));
  ledger.close('test over');
});

test('an address is hidden in every form, and what only looks like one is left', t => {
  const hider = new SerialHider(Buffer.alloc(32, 7));
  const hash = hider.text('f4:73:35:9b:11:05');
  t.regex(hash, HASH);
  const forms = ['F4-73-35-9B-11-05', 'f4:73:35:9B:11:05'];
  t.deepEqual(
    forms.map(form => hider.text(form)),
    [hash, hash],
  );
  t.is(hider.text('/x/net/wlxf473359b1105/a'), `/x/net/wlx${hash}/a`);
  t.is(hider.value('HID_UNIQ', 'f4:73:35:9b:11:05'), hash);
  for (const other of [
    '/devices/pci0000:00/0000:00:14.0/usb1/1-2',
    'pci:v00008086d000015F3sv00001043',
    'input:b0003v046Dp4023e0111-e0,1,2,4,k110,111,112,r0,1,am4,lsfw',
    '2026-11-23',
    'enx00e04c68000',
    'a:b:c:d:e:f',
    '01:02:03:04:05:06:07',
  ])
    t.is(hider.text(other), other);
});

test('whatever a device says, its serial number is nowhere in what is kept, and where it is cannot be changed by it', t => {
  const hider = new SerialHider(Buffer.alloc(32, 1));
  const serial = fc.stringMatching(/^[A-Z0-9]{8,20}$/);
  fc.assert(
    fc.property(serial, fc.string(), fc.string(), (number, before, after) => {
      const env = {
        ID_SERIAL: `a_${number}`,
        ID_SERIAL_SHORT: number,
        DEVLINKS: `${before}/dev/disk/by-id/usb-${number}-0:0 ${after}`,
        NOTE: before + number + after,
        MODALIAS: number,
      };
      const { MODALIAS, ...hidden } = hider.env(env);
      t.is(MODALIAS, number);
      t.false(Object.values(hidden).some(value => value.includes(number)));
      t.deepEqual(hider.env(env), { ...hidden, MODALIAS });
    }),
  );
  t.deepEqual(
    [
      'ID_SERIAL',
      'serial',
      'HID_UNIQ',
      'ID_WWN_WITH_EXTENSION',
      'POWER_SUPPLY_SERIAL_NUMBER',
      'ID_NET_NAME_MAC',
      'wwid',
    ].filter(key => !isIdentityKey(key)),
    [],
  );
  t.deepEqual(['SUBSYSTEM', 'SERIALIZED', 'MACHINE', 'ID_MODEL', 'UNIQUE', 'DEVNAME'].filter(isIdentityKey), []);
});
