import { cpSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DebianTree } from '../support/debian-tree.ts';
import { kernelTree } from '../support/kernel-tree.ts';
import type { Figure } from './figure.ts';
import { timeCommands } from './time-commands.ts';

const usher = path.resolve(import.meta.dirname, '../../dist/usher');

/** depmod over a whole Debian tree beside kmod's, again when one module changed, and over a tree of packed modules. */
export async function benchDepmod({ root, release, dir }: DebianTree, isShort: boolean): Promise<readonly Figure[]> {
  const work = mkdtempSync(path.join(os.tmpdir(), 'usherd-depmod-'));
  // A tree for each, since a run finds the indexes that the one before it left.
  const copy = (name: string): string => {
    cpSync(root, path.join(work, name), { recursive: true, verbatimSymlinks: true });
    return path.join(work, name);
  };
  const [theirs, whole, alike, other] = [copy('theirs'), copy('whole'), copy('alike'), copy('other')];
  const kmod = ['depmod', '-b', theirs, release];
  const rounds = isShort ? 3 : 9;
  const [theirMs = 0, ourMs = 0] = timeCommands([kmod, [usher, 'depmod', '-b', whole, release]], rounds);
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
  const touched = incremental(alike, 'touch "$1"');
  // Another driver and itself again, in turn, so that each time other aliases and symbols come and go.
  const [itself, igb] = [path.join(root, driver), path.join(path.dirname(path.join(root, driver)), '../igb/igb.ko')];
  const changed = incremental(other, 'if cmp -s "$1" "$5"; then cp "$6" "$1"; else cp "$5" "$1"; fi', itself, igb);
  const [touchedMs = 0, changedMs = 0, theirsAgainMs = 0] = timeCommands([touched, changed, kmod], rounds);
  const packed = await kernelTree('newer');
  // Printed in place of written: nobody may change that tree.
  const print = ['depmod', '-n', '-b', packed.root, packed.release];
  const [theirPackedMs = 0, ourPackedMs = 0] = timeCommands([print, [usher, ...print]], isShort ? 1 : 3);
  return [
    {
      bench: 'depmod',
      what: 'whole tree',
      ours: ourMs,
      peer: theirMs,
      unit: 'ms',
      ratio: ourMs / theirMs,
      target: '<= 1.0',
      isMoreBetter: false,
    },
    {
      bench: 'depmod',
      what: 'one module rebuilt alike',
      ours: touchedMs,
      peer: theirsAgainMs,
      unit: 'ms',
      ratio: touchedMs / theirsAgainMs,
      target: '<= 0.4',
      isMoreBetter: false,
    },
    {
      bench: 'depmod',
      what: 'one module become another',
      ours: changedMs,
      peer: theirsAgainMs,
      unit: 'ms',
      ratio: changedMs / theirsAgainMs,
      target: '<= 0.4',
      isMoreBetter: false,
    },
    {
      bench: 'depmod',
      what: 'whole tree of .ko.xz',
      ours: ourPackedMs,
      peer: theirPackedMs,
      unit: 'ms',
      ratio: ourPackedMs / theirPackedMs,
      target: '<= 0.6',
      isMoreBetter: false,
    },
  ];
}
