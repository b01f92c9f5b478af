import test from 'ava';
import { DevicePrinter } from '../../core/daemon/printer.ts';
import { PLAIN } from '../../core/pipeline/8-report/terminal.ts';
import { mouseAdded, mouseDeliberation } from '../pipeline/7-ledger/samples.ts';

const handled = { ...mouseDeliberation(), event: mouseAdded(), outcomes: [] };

test('devices are told in one write a moment later, none is left out, and who asks has them at once', async t => {
  const writes: string[] = [];
  const printer = new DevicePrinter(
    text => writes.push(text),
    PLAIN,
    () => undefined,
  );
  printer.handled(handled);
  printer.handled(handled);
  t.deepEqual(writes, []);
  // The printer's own timer keeps nobody alive.
  await new Promise<void>(resolve => {
    const look = setInterval(() => {
      if (writes.length === 0) return;
      clearInterval(look);
      resolve();
    }, 5);
  });
  t.is(writes.length, 1);
  const lines = writes[0]?.trimEnd().split('\n') ?? [];
  t.is(lines.length, 2);
  t.true(lines.every(line => line.includes('1-2:1.0') && line.includes('usbhid')));
  for (let n = 0; n < 100; n++) printer.handled(handled);
  t.is(writes.length, 2, 'many are told before the moment is over');
  printer.flush();
  t.is(writes.join('').split('\n').length - 1, 102);
  printer.flush();
  t.is(writes.length, 3, 'nothing is nothing to write');
});

test('a driver that was there already and took the device meanwhile is told', t => {
  const writes: string[] = [];
  const printer = new DevicePrinter(
    text => writes.push(text),
    PLAIN,
    devpath => (devpath === handled.device.devpath ? 'usbhid' : undefined),
  );
  printer.handled(handled);
  printer.flush();
  t.regex(writes[0] ?? '', /^bound .* to usbhid$/m);
});
