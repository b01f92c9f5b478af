/** Prints how quick usherd is beside systemd-udevd and busybox mdev, each on the same emulated machine: node test/vm/figures.ts. */
import { BOUND_DEVICES, measureBinding, percentile, type BindFigures } from './bind-figures.ts';

/** The figures of each side in a column, and ours as ratios to each peer's. */
function printFigures(sides: Readonly<Record<string, BindFigures>>): void {
  const [own, ...peers] = Object.values(sides);
  if (own === undefined) return;
  const names = Object.keys(sides);
  const titles = [...names, ...names.slice(1).map(name => `of ${name}`)].map(title => title.padStart(10));
  console.log(`${''.padEnd(28)}${titles.join('')}`);
  const row = (title: string, unit: string, figure: (side: BindFigures) => number): void => {
    const figures = [own, ...peers].map(one => figure(one).toFixed(1).padStart(10));
    const ratios = peers.map(peer => (figure(own) / figure(peer)).toFixed(2).padStart(10));
    console.log(`${title.padEnd(28)}${figures.join('')}${ratios.join('')}  ${unit}`);
  };
  row('start until all is bound', 's', ({ startSeconds }) => startSeconds);
  row('resident memory', 'MiB', ({ memoryKib }) => memoryKib / 1024);
  for (const [device] of BOUND_DEVICES) row(device, 'ms', ({ latencies }) => latencies.get(device) ?? Number.NaN);
  const share =
    (part: number) =>
    ({ latencies }: BindFigures): number =>
      percentile([...latencies.values()], part);
  row('all devices: p50', 'ms', share(0.5));
  row('all devices: p99', 'ms', share(0.99));
}

const sides = await measureBinding();
if (typeof sides === 'string') console.log(`no figures: ${sides}`);
else printFigures(sides);
