import { BOUND_DEVICES, measureBinding, percentile, type BindFigures } from '../vm/bind-figures.ts';
import type { Figure } from './figure.ts';

/**
 * On an emulated machine: uevent → driver bound for each kind of device, start → all bound (the middle of the rounds, taken by turns), memory; beside
 * systemd-udevd, and in sum beside busybox mdev.
 */
export async function benchBind(): Promise<readonly Figure[]> {
  const sides = await measureBinding();
  if (typeof sides === 'string') {
    process.stderr.write(`bench: bind: SKIPPED: ${sides}\n`);
    return [];
  }
  const { usherd, udevd, mdev } = sides;
  const compare = (what: string, unit: string, of: (side: BindFigures) => number, peer = udevd): Figure => {
    const ratio = of(usherd) / of(peer);
    return {
      bench: 'bind',
      what,
      ours: of(usherd),
      peer: of(peer),
      unit,
      ratio,
      target: '<= 1.0',
      isMoreBetter: false,
    };
  };
  const share =
    (part: number) =>
    ({ latencies }: BindFigures): number =>
      percentile([...latencies.values()].flat(), part);
  const start = ({ startSeconds }: BindFigures): number => percentile(startSeconds, 0.5);
  const memory = compare('resident memory', 'KiB', ({ memoryKib }) => memoryKib);
  return [
    ...BOUND_DEVICES.map(([device]) =>
      compare(device, 'ms', ({ latencies }) => percentile(latencies.get(device) ?? [], 0.5)),
    ),
    compare('all devices, p50', 'ms', share(0.5)),
    compare('all devices, p99', 'ms', share(0.99)),
    compare('all devices, p50, beside mdev', 'ms', share(0.5), mdev),
    compare('all devices, p99, beside mdev', 'ms', share(0.99), mdev),
    compare('start until all is bound', 's', start),
    compare('start until all is bound, beside mdev', 's', start, mdev),
    // Told only: nobody asks that a daemon with a history have the memory of one without.
    { ...memory, target: '' },
  ];
}
