import test from 'ava';
import type { HistoryEntry } from '../../../core/pipeline/7-ledger/history-entry.ts';
import type { EntryId } from '../../../core/pipeline/7-ledger/ledger.ts';
import {
  formatDeviceTable,
  formatDeviceTree,
  deviceToJson,
  type DeviceFacts,
} from '../../../core/pipeline/8-report/device-report.ts';
import {
  formatHistoryLine,
  formatHistoryTable,
  formatIncidentLine,
  historyEntryToJson,
  incidentToJson,
} from '../../../core/pipeline/8-report/history-report.ts';
import { formatStatus, statusToJson, type StatusFacts } from '../../../core/pipeline/8-report/status-report.ts';
import { PLAIN } from '../../../core/pipeline/8-report/terminal.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import type { KernelRelease } from '../../../core/vocabulary/kernel-release.ts';
import { modalias } from '../../../core/vocabulary/modalias.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';
import { MOUSE, mouseAdded, mouseDeliberation } from '../7-ledger/samples.ts';
import { golden } from './golden.ts';

process.env['TZ'] = 'UTC';

const loaded: HistoryEntry = {
  id: 12 as EntryId,
  runId: 1,
  event: mouseAdded(),
  state: 'ended',
  decidedAtMs: mouseAdded().receivedAtMs + 1,
  deliberation: mouseDeliberation(),
  endedAtMs: mouseAdded().receivedAtMs + 9,
  result: 'loaded',
  outcomes: [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1.5 }],
  binds: [{ devpath: MOUSE, driver: 'usbhid', atMs: mouseAdded().receivedAtMs + 77 }],
};
const interrupted: HistoryEntry = {
  id: 1044 as EntryId,
  runId: 1,
  event: mouseAdded({ seqnum: 0xffff_ffff_ffff_fffen as Seqnum, receivedAtMs: 1_795_413_800_000 }),
  state: 'interrupted',
  decidedAtMs: 1_795_413_800_001,
  deliberation: mouseDeliberation(),
  outcomes: [],
  binds: [],
};
const recorded: HistoryEntry = {
  id: 1045 as EntryId,
  runId: 1,
  event: mouseAdded({ action: 'change', devpath: '/devices/платы/\u001b]0;owned\u0007' as Devpath }),
  state: 'recorded',
  outcomes: [],
  binds: [],
};
const entries = [recorded, interrupted, loaded];

const usb = '/devices/pci0000:00/0000:00:14.0' as Devpath;
const devices: DeviceFacts[] = [
  {
    device: { devpath: MOUSE, subsystem: 'usb', modalias: modalias('usb:v046D'), driver: 'usbhid' },
    candidates: [moduleName('usbhid')],
    present: [moduleName('usbhid')],
  },
  {
    device: { devpath: usb, subsystem: 'pci', modalias: modalias('pci:v00008086'), driver: 'xhci_hcd' },
    candidates: [moduleName('xhci_pci')],
    present: [moduleName('xhci_pci')],
  },
  { device: { devpath: `${usb}/usb1` as Devpath, subsystem: 'usb' }, candidates: [], present: [] },
  {
    device: { devpath: `${usb}/usb1/1-3/1-3:1.0` as Devpath, subsystem: 'usb', modalias: modalias('usb:v1234') },
    candidates: [],
    present: [],
  },
  {
    device: { devpath: '/devices/pci0000:00/0000:00:1f.6' as Devpath, subsystem: 'pci', modalias: modalias('pci:v8') },
    candidates: [moduleName('e1000e'), moduleName('igb')],
    present: [moduleName('igb')],
  },
  {
    device: { devpath: '/devices/pci0000:00/0000:00:1f.4' as Devpath, subsystem: 'pci', modalias: modalias('pci:v9') },
    candidates: [moduleName('i2c_i801')],
    present: [],
  },
];

const status: StatusFacts = {
  version: '0.1.0',
  pid: 4242,
  startedAtMs: 1_795_413_600_000,
  mode: 'observe',
  observesBecause: 'it does not run as root',
  kernelRelease: '6.1.0-18-amd64' as KernelRelease,
  triedModulesDirs: ['/lib/modules/6.1.0-18-amd64', '/usr/lib/modules/6.1.0-18-amd64'],
  source: 'udev',
  bufferBytes: 134_217_728,
  eventsHandled: 50_123,
  eventsInFlight: 2,
  eventsRejected: 3,
  overruns: 0,
  modulesInserted: 41,
  loadsFailed: 1,
  ledger: {
    path: '/var/lib/usherd/ledger.db',
    sizeBytes: 5_300_000,
    writtenRows: 50_400,
    heldRows: 12,
    lostRows: 1,
  },
  plugins: [],
};

test('history as a table is as wide as it needs to be when nobody says how wide', t => {
  golden(t, 'history-table', formatHistoryTable(entries, PLAIN));
});

test('history as a table cuts the middle of devpaths on a narrow terminal', t => {
  golden(t, 'history-table-100-columns', formatHistoryTable(entries, { ...PLAIN, width: 100 }));
});

test('history as lines, one an entry and one an incident', t => {
  golden(t, 'history-lines', [
    ...entries.map(entry => formatHistoryLine(entry, PLAIN)),
    formatIncidentLine(
      {
        id: 3,
        atMs: 1_795_413_900_000,
        incident: { kind: 'rejected', reason: 'sent by uid 1000', count: 3, senderPid: 7 },
      },
      PLAIN,
    ),
  ]);
});

test('history as JSON keeps a 64-bit seqnum exact', t => {
  const incident = { id: 3, runId: 1, atMs: 1_795_413_900_000, incident: { kind: 'overrun' } } as const;
  golden(t, 'history.json', [
    JSON.stringify(historyEntryToJson(interrupted), undefined, 2),
    JSON.stringify(incidentToJson(incident)),
  ]);
});

test('devices as a table', t => {
  golden(t, 'device-table', formatDeviceTable(devices, PLAIN));
});

test('devices as a tree hang below the nearest device that is listed', t => {
  golden(t, 'device-tree', formatDeviceTree(devices, PLAIN));
});

test('a device as JSON says its state', t => {
  t.deepEqual(deviceToJson(devices[5] as DeviceFacts), {
    device: { devpath: '/devices/pci0000:00/0000:00:1f.4', subsystem: 'pci', modalias: 'pci:v9' },
    candidates: ['i2c_i801'],
    present: [],
    state: 'matched-not-loaded',
  });
});

test('status says what is amiss beside what is well', t => {
  golden(t, 'status', formatStatus(status, status.startedAtMs + 93_784_000, PLAIN));
});

test('status as JSON is its facts', t => {
  t.deepEqual(statusToJson(status), JSON.parse(JSON.stringify(status)));
});
