import test from 'ava';
import * as fc from 'fast-check';
import { deny, hold, type PluginDevice, type PluginEvent } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';
import blacklist from '../../plugins/blacklist/index.ts';
import { isWithin, parseClock } from '../../plugins/blacklist/time-window.ts';

const stick: PluginDevice = {
  devpath: '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.4/1-2.4:1.0',
  subsystem: 'usb',
  modalias: 'usb:v0951p1666d0110dc00dsc00dp00ic08isc06ip50in00',
};

/** An event of the device at a moment of local time. */
function cameAt(moment: Date, { devpath, subsystem }: PluginDevice = stick): PluginEvent {
  return { action: 'add', devpath, subsystem, env: {}, origin: 'kernel', receivedAtMs: moment.getTime() };
}

test('a module is stopped by its name, whoever asks and as what, and a dash is an underscore', async t => {
  const plugin = await startPlugin(blacklist, { settings: { rules: [{ modules: ['snd-*', 'pcspkr'] }] } });
  const verdict = deny('blacklisted by module "snd-*"');
  t.deepEqual(await plugin.opine({ module: 'snd_hda_intel' }), verdict);
  t.deepEqual(await plugin.opine({ module: 'snd_pcm', role: 'dependency' }), verdict);
  const asker = { kind: 'administrator', name: 'snd-seq', uid: 0 } as const;
  t.deepEqual(await plugin.opine({ module: 'snd_seq', asker }), verdict);
  t.is(await plugin.opine({ module: 'e1000e' }), undefined);
});

test('what a rule names besides modules must all be so of the device', async t => {
  const rule = { modalias: ['usb:*ic08*'], bus: ['usb'], port: ['1-2.*'], reason: 'no sticks in the front' };
  const plugin = await startPlugin(blacklist, { settings: { rules: [rule] } });
  const why = 'no sticks in the front: blacklisted by modalias "usb:*ic08*", bus "usb", port "1-2.*"';
  t.deepEqual(await plugin.opine({ module: 'usb_storage', device: stick }), deny(why));
  t.is(await plugin.opine({ module: 'scsi_mod', role: 'dependency', device: stick }), undefined);
  t.is(await plugin.opine({ module: 'x', device: { ...stick, subsystem: 'pci' } }), undefined);
  t.is(await plugin.opine({ module: 'x', device: { ...stick, devpath: '/devices/usb1/1-3' } }), undefined);
  t.is(await plugin.opine({ module: 'x', device: { ...stick, modalias: 'usb:v1ic03' } }), undefined);
  t.is(await plugin.opine({ module: 'usb_storage', asker: { kind: 'kernel', alias: 'usb:ic08' } }), undefined);
});

test('a port holds for all that hangs on it, and for addresses of other buses', async t => {
  const settings = { rules: [{ port: ['1-2', '0000:01:00.0'] }] };
  const plugin = await startPlugin(blacklist, { settings });
  t.deepEqual(await plugin.opine({ module: 'uas', device: stick }), deny('blacklisted by port "1-2"'));
  const card = { devpath: '/devices/pci0000:00/0000:00:01.0/0000:01:00.0', subsystem: 'pci' };
  t.deepEqual(await plugin.opine({ module: 'nouveau', device: card }), deny('blacklisted by port "0000:01:00.0"'));
});

test('an alias of the kernel is stopped like that of a device', async t => {
  const plugin = await startPlugin(blacklist, { settings: { rules: [{ modalias: ['net-pf-21'] }] } });
  const asker = { kind: 'kernel', alias: 'net-pf-21' } as const;
  t.deepEqual(await plugin.opine({ module: 'rds', asker }), deny('blacklisted by modalias "net-pf-21"'));
});

test('of several rules a denial beats a hold', async t => {
  const rules = [{ modules: ['uas'], verdict: 'hold' }, { bus: ['usb'] }];
  const plugin = await startPlugin(blacklist, { settings: { rules } });
  t.deepEqual(await plugin.opine({ module: 'uas', device: stick }), deny('blacklisted by bus "usb"'));
  const other = { devpath: '/devices/x', subsystem: 'pci' };
  t.deepEqual(await plugin.opine({ module: 'uas', device: other }), hold('blacklisted by module "uas"'));
});

test('a rule with a time counts only then, by the time the event came at', async t => {
  const rule = { bus: ['usb'], from: '22:00', until: '06:00', days: ['fri'] };
  const plugin = await startPlugin(blacklist, { settings: { rules: [rule] } });
  const at = async (...moment: readonly [number, number, number]): Promise<unknown> => {
    const [day, hour, minute] = moment;
    return plugin.opine({ module: 'uas', device: stick, event: cameAt(new Date(2026, 10, day, hour, minute)) });
  };
  // The 27th of November 2026 is a Friday.
  const why = deny('blacklisted by bus "usb", from 22:00 until 06:00 on fri');
  t.is(await at(27, 5, 59), undefined);
  t.is(await at(27, 21, 59), undefined);
  t.deepEqual(await at(27, 22, 0), why);
  t.deepEqual(await at(28, 5, 59), why);
  t.is(await at(28, 6, 0), undefined);
  t.is(await at(28, 22, 30), undefined);
});

test('a rule with days and no hours counts on all of these days', async t => {
  const plugin = await startPlugin(blacklist, { settings: { rules: [{ bus: ['usb'], days: ['sat', 'sun'] }] } });
  const on = (day: number): Promise<unknown> =>
    plugin.opine({ module: 'uas', device: stick, event: cameAt(new Date(2026, 10, day, 0, 0)) });
  t.is(await on(27), undefined);
  t.deepEqual(await on(28), deny('blacklisted by bus "usb", on sat, sun'));
  t.deepEqual(await on(29), deny('blacklisted by bus "usb", on sat, sun'));
});

test('settings that would stop everything, or nothing, are refused with the reason', async t => {
  const refusals: readonly (readonly [rule: object, why: RegExp])[] = [
    [{}, /rules\.0: it names no modules, modalias, bus or port, and would stop everything/],
    [{ days: ['mon'] }, /would stop everything/],
    [{ modules: [] }, /rules\.0\.modules: the list is empty/],
    [{ bus: ['usb'], from: '22:00' }, /from and until go together/],
    [{ bus: ['usb'], from: '22:00', until: '22:00' }, /the same moment/],
    [{ bus: ['usb'], from: '25:00', until: '22:00' }, /from: wanted a time of day/],
    [{ bus: ['usb'], days: ['friday'] }, /rules\.0\.days\.0: /],
    [{ buses: ['usb'] }, /buses/],
    [{ bus: ['usb'], verdict: 'allow' }, /rules\.0\.verdict: /],
  ];
  for (const [rule, why] of refusals)
    await t.throwsAsync(startPlugin(blacklist, { settings: { rules: [rule] } }), { message: why });
  await t.notThrowsAsync(startPlugin(blacklist));
});

test('times of day are read, and nothing else is', t => {
  t.deepEqual(['00:00', '7:05', '23:59', '24:00'].map(parseClock), [0, 425, 1439, 1440]);
  t.deepEqual(['24:01', '12', '12:60', '-1:00', '12:00 ', ''].map(parseClock), Array.from({ length: 6 }));
});

test('a moment is either in a window or in the one that fills the rest of the week', t => {
  const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
  const minute = fc.integer({ min: 0, max: 1439 });
  fc.assert(
    fc.property(minute, minute, fc.date({ noInvalidDate: true }), (from, until, at) => {
      fc.pre(from !== until);
      const window = { fromMinute: from, untilMinute: until, days };
      const rest = { fromMinute: until, untilMinute: from, days };
      return isWithin(window, at) !== isWithin(rest, at);
    }),
  );
  t.pass();
});
