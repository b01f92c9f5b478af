import { cpSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DebianTree } from '../support/debian-tree.ts';
import { kernelTree } from '../support/kernel-tree.ts';
import type { Figure } from './figure.ts';
import { timeCommands, type Timed } from './time-commands.ts';

const usher = path.resolve(import.meta.dirname, '../../dist/usher');

/** depmod over a whole Debian tree beside kmod's, again when one module changed, and over a tree of packed modules. */
export async function benchDepmod({ root, release, dir }: DebianTree, isShort: boolean): Promise<readonly Figure[]> {
  const work = mkdtempSync(path.join(os.tmpdir(), 'usherd-depmod-'));
  // A tree for each, since a run finds the indexes that the one before it left.
  const copy = (name: string): string => {
    cpSync(root, path.join(work, name), { recursive: true, verbatimSymlinks: true });
    return path.join(work, name);
  };
  const [kmods, whole, rebuilt, other] = [copy('kmods'), copy('whole'), copy('rebuilt'), copy('other')];
  const kmod = ['depmod', '-b', kmods, release];
  const rounds = isShort ? 3 : 9;
  const [theirs, ours] = timeCommands([kmod, [usher, 'depmod', '-b', whole, release]], rounds);
  const driver = path.join(path.relative(root, dir), 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko');
  const incremental = (tree: string, change: string, ...more: readonly string[]): readonly string[] => [
    'sh',
    '-c',
    `${change}; exec "$2" depmod --incremental -b "$3" "$4"`,
    'sh',
    path.join(tree, driver),
    usher,
    tree,
    release,
    ...more,
  ];
  const touched = incremental(rebuilt, 'touch "$1"');
  // Another driver and itself again, in turn, so that each time other aliases and symbols come and go.
  const [itself, igb] = [path.join(root, driver), path.join(path.dirname(path.join(root, driver)), '../igb/igb.ko')];
  const changed = incremental(other, 'if cmp -s "$1" "$5"; then cp "$6" "$1"; else cp "$5" "$1"; fi', itself, igb);
  const [alike, another, theirsAgain] = timeCommands([touched, changed, kmod], rounds);
  const packed = await kernelTree('newer');
  // Printed in place of written: nobody may change that tree.
  const print = ['depmod', '-n', '-b', packed.root, packed.release];
  const [theirsPacked, oursPacked] = timeCommands([print, [usher, ...print]], isShort ? 1 : 3);
  return [
    beside('whole tree', ours, theirs, '<= 1.0'),
    peak('whole tree', ours, theirs),
    beside('one module rebuilt alike', alike, theirsAgain, '<= 0.4'),
    beside('one module become another', another, theirsAgain, '<= 0.4'),
    beside('whole tree of .ko.xz', oursPacked, theirsPacked, '<= 0.6'),
    peak('whole tree of .ko.xz', oursPacked, theirsPacked),
  ];
}

function beside(what: string, ours: Timed | undefined, theirs: Timed | undefined, target: string): Figure {
  const [ms, peer] = [ours?.ms ?? Number.NaN, theirs?.ms ?? Number.NaN];
  return { bench: 'depmod', what, ours: ms, peer, unit: 'ms', ratio: ms / peer, target, isMoreBetter: false };
}

/** Memory, which is bounded as it is, whatever kmod takes. */
function peak(what: string, ours: Timed | undefined, theirs: Timed | undefined): Figure {
  const mb = (timed: Timed | undefined): number => ((timed?.peakKib ?? Number.NaN) * 1024) / 1e6;
  const [peakMb, peer] = [mb(ours), mb(theirs)];
  return {
    bench: 'depmod',
    what: `${what}, memory`,
    ours: peakMb,
    peer,
    unit: 'MB',
    target: '<= 130',
    isMoreBetter: false,
  };
}
