import path from 'node:path';
import type { DebianTree } from '../support/debian-tree.ts';
import type { Figure } from './figure.ts';
import { timeCommands } from './time-commands.ts';

const usher = path.resolve(import.meta.dirname, '../../dist/usher');
const MODALIAS = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';

/** One-shot commands beside a Node that does nothing: what they add to its start. */
export function benchCli({ root, release, dir }: DebianTree, isShort: boolean): readonly Figure[] {
  const node = [process.execPath, '-e', '0'];
  const commands: Readonly<Record<string, readonly string[]>> = {
    lsmod: [usher, 'lsmod'],
    'modinfo e1000e': [usher, 'modinfo', path.join(dir, 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko')],
    'modprobe -R': [usher, 'modprobe', '-d', root, '-S', release, '-R', MODALIAS],
    why: [usher, 'why', MODALIAS, '--modules-root', path.dirname(dir), '--kernel', release],
    status: [usher, 'status'],
  };
  const [floorMs = 0, ...times] = timeCommands([node, ...Object.values(commands)], isShort ? 7 : 31);
  return Object.keys(commands).map((what, index) => ({
    bench: 'cli',
    what: `${what}, beyond node -e 0`,
    ours: (times[index] ?? Number.NaN) - floorMs,
    unit: 'ms',
    target: '<= 8',
    isMoreBetter: false,
  }));
}
