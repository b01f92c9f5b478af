import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Deliberation } from '../../../core/pipeline/7-ledger/deliberation.ts';
import { Ledger, type LedgerOptions } from '../../../core/pipeline/7-ledger/ledger.ts';
import type { RunFacts } from '../../../core/pipeline/7-ledger/row-queue.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { modalias } from '../../../core/vocabulary/modalias.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';

export const RUN: RunFacts = {
  bootId: '5d0f5a8e-1f5c-4a43-9f0a-0c6e4e1b9a77',
  startedAtMs: 1_795_413_600_000,
  kernelRelease: '6.1.0-18-amd64',
  version: '0.1.0',
  source: 'kernel',
  mode: 'load',
  modulesDir: '/lib/modules/6.1.0-18-amd64',
};

export const MOUSE = '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0' as Devpath;
export const MOUSE_MODALIAS = modalias('usb:v046DpC077d7200dc00dsc00dp00ic03isc01ip02in00');

/** A folder that is gone after the test. */
export function scratchFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'usherd-ledger-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A ledger with a run begun, and its file. */
export function begunLedger(t: ExecutionContext, options?: LedgerOptions): { ledger: Ledger; file: string } {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const ledger = Ledger.open(file, options);
  ledger.beginRun(RUN);
  return { ledger, file };
}

/** A mouse is plugged in, as the kernel says it. */
export function mouseAdded(changes: Partial<Uevent> = {}): Uevent {
  const { devpath = MOUSE, seqnum = 4711n as Seqnum, action = 'add', subsystem = 'usb' } = changes;
  const env = Object.assign(Object.create(null), {
    ACTION: action,
    DEVPATH: devpath,
    SUBSYSTEM: subsystem,
    DEVTYPE: 'usb_interface',
    PRODUCT: '46d/c077/7200',
    TYPE: '0/0/0',
    INTERFACE: '3/1/2',
    MODALIAS: MOUSE_MODALIAS,
    SEQNUM: seqnum.toString(),
  }) as Record<string, string>;
  const receivedAtMs = 1_795_413_700_123.456;
  return { action, devpath, subsystem, seqnum, env, origin: { kind: 'kernel' }, receivedAtMs, ...changes };
}

/** What is decided for the mouse: usbhid may load, and needs hid. */
export function mouseDeliberation(): Deliberation {
  const usbhid = moduleName('usbhid');
  const hid = moduleName('hid');
  const pattern = 'usb:v*p*d*dc*dsc*dp*ic03isc*ip*in*';
  const place = { file: '/lib/modules/6.1.0-18-amd64/modules.alias', line: 812 };
  const allowed = {
    verdict: 'allow',
    module: usbhid,
    by: 'rules',
    reason: 'mice are welcome',
    place: { file: '/etc/usherd/rules.d/10-input.rules', line: 3, column: 1 },
  } as const;
  return {
    device: { devpath: MOUSE, subsystem: 'usb', modalias: MOUSE_MODALIAS, devtype: 'usb_interface' },
    candidates: [{ module: usbhid, match: { module: usbhid, source: 'modules.alias', pattern, place } }],
    decisions: [
      { module: usbhid, verdict: 'allow', winner: allowed, opinions: [allowed] },
      { module: hid, verdict: 'allow', opinions: [] },
    ],
    plans: [
      {
        target: usbhid,
        steps: [
          {
            kind: 'insert',
            module: hid,
            role: 'dependency',
            neededBy: usbhid,
            required: true,
            path: '/lib/modules/6.1.0-18-amd64/kernel/drivers/hid/hid.ko',
            parameters: '',
            optionPlaces: [],
          },
          {
            kind: 'insert',
            module: usbhid,
            role: 'target',
            required: true,
            path: '/lib/modules/6.1.0-18-amd64/kernel/drivers/hid/usbhid/usbhid.ko',
            parameters: 'mousepoll=2',
            optionPlaces: [{ file: '/etc/modprobe.d/mouse.conf', line: 1 }],
          },
        ],
      },
    ],
  };
}
