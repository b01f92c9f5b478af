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
  const copy = path.join(work, 'root');
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
  const kmod = ['depmod', '-b', copy, release];
  const ours = [usher, 'depmod', '-b', copy, release];
  const rounds = isShort ? 3 : 9;
  const [theirMs = 0, ourMs = 0] = timeCommands([kmod, ours], rounds);
  const module = path.join(copy, path.relative(root, dir), 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko');
  const incremental = (change: string, ...more: readonly string[]): readonly string[] => [
    'sh',
    '-c',
    `${change}; exec "$2" depmod --incremental -b "$3" "$4"`,
    'sh',
    module,
    usher,
    copy,
    release,
    ...more,
  ];
  const touched = incremental('touch "$1"');
  // Another driver and itself again, in turn, so that each time other aliases and symbols come and go.
  const itself = path.join(work, 'itself.ko');
  cpSync(module, itself);
  const other = path.join(path.dirname(module), '../igb/igb.ko');
  const changed = incremental('if cmp -s "$1" "$5"; then cp "$6" "$1"; else cp "$5" "$1"; fi', itself, other);
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
