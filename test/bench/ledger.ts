/**
 * What the ledger costs per plain event: time, processor time and bytes, in batches of 1,000 with every commit on disk.
 * `node test/bench/ledger.ts [EVENTS] [DEVICES]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { ACTIONS } from '../../core/pipeline/1-intake/uevent.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import type { Seqnum } from '../../core/vocabulary/seqnum.ts';

const count = Number(process.argv[2] ?? 50_000);
const devices = Number(process.argv[3] ?? 2_000);

function event(n: number): Uevent {
  const device = (n * 7919) % devices;
  const port = `${(device >> 8) + 1}-${(device & 255) + 1}`;
  const devpath = `/devices/pci0000:00/0000:00:14.0/usb${(device >> 8) + 1}/${port}/${port}:1.0` as Devpath;
  const action = ACTIONS[n % ACTIONS.length] ?? 'add';
  const seqnum = BigInt(5000 + n) as Seqnum;
  const id = (0x1000 + device).toString(16).toUpperCase().padStart(4, '0');
  const env = Object.assign(Object.create(null), {
    ACTION: action,
    DEVPATH: devpath,
    SUBSYSTEM: 'usb',
    DEVTYPE: 'usb_interface',
    DRIVER: 'usbhid',
    PRODUCT: `46d/${id.toLowerCase()}/7200`,
    TYPE: '0/0/0',
    INTERFACE: '3/1/2',
    MODALIAS: `usb:v046Dp${id}d7200dc00dsc00dp00ic03isc01ip02in00`,
    SEQNUM: seqnum.toString(),
  }) as Record<string, string>;
  return {
    action,
    devpath,
    subsystem: 'usb',
    seqnum,
    env,
    origin: { kind: 'kernel' },
    receivedAtMs: 1_795_413_700_000 + n * 1.7,
  };
}

const folder = mkdtempSync(path.join(process.cwd(), 'bench-ledger-'));
try {
  const file = path.join(folder, 'ledger.db');
  const events = Array.from({ length: count }, (_, n) => event(n));
  const ledger = Ledger.open(file);
  ledger.beginRun({
    bootId: 'bench',
    startedAtMs: 0,
    kernelRelease: 'none',
    version: '0',
    source: 'replay',
    mode: 'observe',
  });
  ledger.flush();
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  for (const each of events) ledger.record(each);
  ledger.flush();
  const tookMs = performance.now() - before;
  const { user, system } = process.cpuUsage(cpuBefore);
  ledger.close('bench over');
  const { sizeBytes } = ledger.stats();
  console.log(`${count} events of ${devices} devices in ${tookMs.toFixed(0)} ms`);
  console.log(
    `per event: ${((tookMs * 1000) / count).toFixed(2)} µs, ${((user + system) / count).toFixed(2)} µs of processor`,
  );
  console.log(`per event: ${(sizeBytes / count).toFixed(0)} bytes`);

  const history = History.open(file);
  const questions = {
    'last 50': { limit: 50 },
    'last 100 of a device': { device: events[0]?.devpath, limit: 100 },
    'one second': { sinceMs: 1_795_413_710_000, untilMs: 1_795_413_711_000 },
    'last 100 of a glob': { device: '*-17:1.0', limit: 100 },
  };
  for (const [name, filter] of Object.entries(questions)) {
    const asked = performance.now();
    const found = [...history.query(filter)].length;
    console.log(`${name}: ${found} entries in ${(performance.now() - asked).toFixed(2)} ms`);
  }
  history.close();
} finally {
  rmSync(folder, { recursive: true });
}
