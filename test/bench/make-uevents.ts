/**
 * Makes real uevents as fast as it may: writes ACTION UUID T=<moment> to every device's uevent file in turn.
 * usage: make-uevents.ts COUNT ACTION UUID [RATE_PER_S] [modalias]
 * Prints {"made":N,"startedNs":"…","endedNs":"…"}; moments are CLOCK_MONOTONIC, as process.hrtime has it. Network devices are left out:
 * their events go to one namespace only.
 */
import { openSync, writeSync } from 'node:fs';
import { walkSysfs } from '../../core/kernel/sysfs.ts';

const [count = '1000', action = 'change', uuid = '', rate = '0', only = ''] = process.argv.slice(2);
const devices = walkSysfs({ sys: '/sys' }).filter(
  ({ subsystem, modalias }) =>
    subsystem !== 'net' && subsystem !== 'queues' && (only !== 'modalias' || modalias !== undefined),
);
const files = devices.map(({ devpath }) => openSync(`/sys${devpath}/uevent`, 'w'));
const everyNs = rate === '0' ? 0n : 1_000_000_000n / BigInt(rate);
const startedNs = process.hrtime.bigint();
for (let n = 0; n < Number(count); n += 1) {
  const dueNs = startedNs + everyNs * BigInt(n);
  // Sleeping to the moment would round to a millisecond, and this is a generator: it may spin.
  let nowNs = process.hrtime.bigint();
  while (nowNs < dueNs) {
    if (dueNs - nowNs > 2_000_000n) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    nowNs = process.hrtime.bigint();
  }
  writeSync(files[n % files.length] ?? -1, `${action} ${uuid} T=${nowNs}`);
}
const endedNs = process.hrtime.bigint();
process.stdout.write(
  `${JSON.stringify({ made: Number(count), startedNs: String(startedNs), endedNs: String(endedNs) })}\n`,
);
