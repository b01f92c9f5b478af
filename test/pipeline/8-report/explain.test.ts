import test from 'ava';
import type { Decision, Opinion } from '../../../core/pipeline/4-policy/opinion.ts';
import { explanationToJson, formatExplanation } from '../../../core/pipeline/8-report/explain.ts';
import type { Explanation } from '../../../core/pipeline/8-report/explanation.ts';
import { displayWidth } from '../../../core/pipeline/8-report/display-width.ts';
import { PLAIN } from '../../../core/pipeline/8-report/terminal.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { modalias } from '../../../core/vocabulary/modalias.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { MOUSE, mouseAdded, mouseDeliberation } from '../7-ledger/samples.ts';
import { golden } from './golden.ts';

process.env['TZ'] = 'UTC';

const TREE = '/lib/modules/6.1.0-18-amd64';
const searched = [
  { file: `${TREE}/modules.alias.bin`, patterns: 22_318 },
  { file: `${TREE}/modules.builtin.alias.bin`, patterns: 1844 },
];
const usbhid = moduleName('usbhid');
const hid = moduleName('hid');
const mouse: Explanation = {
  event: mouseAdded(),
  ...mouseDeliberation(),
  searched,
  outcomes: [
    { kind: 'inserted', module: hid, tookMs: 3.25 },
    { kind: 'inserted', module: usbhid, tookMs: 1.5 },
  ],
  state: 'ended',
  binds: [{ devpath: MOUSE, driver: 'usbhid', atMs: mouseAdded().receivedAtMs + 77.5 }],
};
const blacklisted: Opinion = {
  verdict: 'deny',
  module: usbhid,
  by: 'modprobe.d',
  reason: 'it is blacklisted',
  place: { file: '/etc/modprobe.d/kiosk.conf', line: 7 },
};
const welcome: Opinion = { verdict: 'allow', module: usbhid, by: 'plugin desk', reason: 'mice are welcome here' };
const asked: Opinion = { verdict: 'hold', module: usbhid, by: 'plugin ask', reason: 'a new input device needs a yes' };
const denied: Decision = { module: usbhid, verdict: 'deny', winner: blacklisted, opinions: [blacklisted, welcome] };
const held: Decision = { module: usbhid, verdict: 'hold', winner: asked, opinions: [asked] };
const undone = { outcomes: [], binds: [] } as const;
const noModule: Explanation = {
  ...mouse,
  ...undone,
  device: { devpath: MOUSE, subsystem: 'usb', modalias: modalias('usb:v1234p5678d0100dc00dsc00dp00icFFisc00ip00in00') },
  candidates: [],
  decisions: [],
  plans: [],
};

const scenes: Readonly<Record<string, Explanation>> = {
  'a mouse is plugged in and its driver takes it': mouse,
  'a driver is at work on a device': { ...mouse, device: { ...mouse.device, driver: 'usbhid' }, binds: [] },
  'no module claims a device': noModule,
  'a device has no modalias': {
    ...noModule,
    event: mouseAdded({ action: 'add', origin: { kind: 'udev', pid: 411 } }),
    device: { devpath: '/devices/virtual/net/lo' as Devpath, subsystem: 'net' },
  },
  'a module is denied although one voice allows it': { ...mouse, ...undone, decisions: [denied], plans: [] },
  'a module is held until somebody answers': { ...mouse, ...undone, decisions: [held], plans: [] },
  'a plan ends early because a dependency is refused': {
    ...mouse,
    binds: [],
    outcomes: [
      {
        kind: 'refused',
        module: hid,
        errno: 'EKEYREJECTED',
        meaning: 'the kernel takes signed modules only, and the key that signed this one is not in its keyring',
        tookMs: 0.4,
      },
    ],
  },
  'a module is loaded and nothing is bound': { ...mouse, binds: [] },
  'usherd stopped in the middle': { ...mouse, ...undone, state: 'interrupted' },
  'a dry run shows the plan': {
    ...mouse,
    ...undone,
    state: 'dry-run',
    plans: [
      {
        target: usbhid,
        steps: [
          { kind: 'loaded', module: hid, role: 'dependency', neededBy: usbhid, required: true },
          {
            kind: 'missing',
            module: moduleName('hid_extra'),
            name: 'hid-extra',
            role: 'softdep-pre',
            neededBy: usbhid,
            required: false,
          },
          {
            kind: 'run-install',
            parameters: '',
            module: usbhid,
            role: 'target',
            required: true,
            command: '/sbin/modprobe --ignore-install usbhid && logger "a mouse"',
            place: { file: '/etc/modprobe.d/mouse.conf', line: 2 },
          },
        ],
      },
    ],
  },
  'only observed': {
    ...mouse,
    binds: [],
    outcomes: [
      { kind: 'observed', module: hid },
      { kind: 'observed', module: usbhid },
    ],
  },
  'a device that tries to write on the terminal': {
    ...noModule,
    device: {
      devpath: '/devices/usb1/\u001b[2J\u202etxt' as Devpath,
      subsystem: 'usb\n└─ bound: driver good took it',
      modalias: modalias('usb:\u009b31mRED\u0007'),
    },
  },
};
for (const [name, explanation] of Object.entries(scenes)) {
  test(`explain tells when ${name}`, t => {
    const lines = formatExplanation(explanation, PLAIN);
    golden(t, name.replaceAll(' ', '-'), lines);
    // oxlint-disable-next-line no-control-regex -- nothing of the kind may be left
    t.false(lines.some(line => /[\u0000-\u001f\u007f-\u009f\u202e]/.test(line)));
  });
}

test('explain draws with ASCII and breaks its lines where the terminal says so', t => {
  const lines = formatExplanation(mouse, { hasColour: false, isUtf8: false, width: 60 });
  golden(t, 'ascii-60-columns', lines);
  const longest = Math.max(...lines.filter(line => !/\S{40}/.test(line)).map(displayWidth));
  t.true(longest <= 60);
});

test('an explanation as JSON has its fields, 64-bit numbers as text, and the conclusion as a sentence', t => {
  golden(t, 'explanation.json', [JSON.stringify(explanationToJson(mouse), undefined, 2)]);
});
