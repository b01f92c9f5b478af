import { BOUND_DEVICES, measureBinding, percentile, type BindFigures } from '../vm/bind-figures.ts';
import type { Figure } from './figure.ts';

/** On an emulated machine: uevent → driver bound for each kind of device, and start → all bound, beside systemd-udevd. */
export async function benchBind(): Promise<readonly Figure[]> {
  const sides = await measureBinding();
  if (typeof sides === 'string') {
    process.stderr.write(`bench: bind: SKIPPED: ${sides}\n`);
    return [];
  }
  const compare = (what: string, unit: string, of: (side: BindFigures) => number): Figure => {
    const [ours, peer] = [of(sides.usherd), of(sides.udevd)];
    return { bench: 'bind', what, ours, peer, unit, ratio: ours / peer, target: '<= 1.0', isMoreBetter: false };
  };
  const share =
    (part: number) =>
    ({ latencies }: BindFigures): number =>
      percentile([...latencies.values()], part);
  return [
    ...BOUND_DEVICES.map(([device]) => compare(device, 'ms', ({ latencies }) => latencies.get(device) ?? Number.NaN)),
    compare('all devices, p50', 'ms', share(0.5)),
    compare('all devices, p99', 'ms', share(0.99)),
    compare('start until all is bound', 's', ({ startSeconds }) => startSeconds),
    compare('resident memory', 'KiB', ({ memoryKib }) => memoryKib),
  ];
}
