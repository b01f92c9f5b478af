import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EventEmitter, once } from 'node:events';
import test from 'ava';
import { openWorld } from '../../core/daemon/module-world.ts';
import { WorldWatch } from '../../core/daemon/world-watch.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { matchDevice } from '../../core/pipeline/3-match/match-device.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { modalias } from '../../core/vocabulary/modalias.ts';

const device = { devpath: '/devices/x' as Devpath, subsystem: 'pci', modalias: modalias('pci:v00001234d00000001') };

function fixture(): { root: string; tree: string } {
  const root = mkdtempSync(path.join(os.tmpdir(), 'usherd-reload-'));
  const tree = path.join(root, 'lib/modules/6.1.0-test');
  mkdirSync(tree, { recursive: true });
  writeFileSync(path.join(tree, 'modules.dep'), 'kernel/card.ko:\nkernel/newer.ko:\n');
  writeFileSync(path.join(tree, 'modules.alias'), 'alias pci:v00001234d* card\n');
  return { root, tree };
}

/** Opens the world, makes a change, waits for the watch to tell of it, and opens it again. */
async function afterChange(root: string, change: () => void): Promise<readonly string[]> {
  const roots = systemRoot({ root }, { env: {}, uid: 0 });
  const told = new EventEmitter();
  const watch = new WorldWatch(openWorld(roots, '6.1.0-test').watched, () => told.emit('changed'));
  const changed = once(told, 'changed');
  change();
  await changed;
  watch.close();
  unwatched = watch.unwatched;
  return matchDevice(device, openWorld(roots, '6.1.0-test')).map(({ module }) => module);
}
/** What the last watch could not watch. */
let unwatched: readonly string[] = [];

test.serial('an index that is renamed into place, as depmod does, is seen without polling', async t => {
  const { root, tree } = fixture();
  const modules = await afterChange(root, () => {
    writeFileSync(path.join(tree, 'modules.alias.new'), 'alias pci:v00001234d* newer\n');
    renameSync(path.join(tree, 'modules.alias.new'), path.join(tree, 'modules.alias'));
  });
  t.deepEqual(modules, ['newer']);
  t.deepEqual(unwatched, []);
});

test.serial('a modprobe.d folder that did not exist at first is seen when it appears, with what is in it', async t => {
  const { root } = fixture();
  const modules = await afterChange(root, () => {
    mkdirSync(path.join(root, 'etc/modprobe.d'), { recursive: true });
    writeFileSync(path.join(root, 'etc/modprobe.d/site.conf'), 'alias pci:v00001234d00000001 newer\n');
  });
  t.deepEqual(modules, ['newer']);
});

test.serial('a file of modprobe.d that goes is seen', async t => {
  const { root } = fixture();
  mkdirSync(path.join(root, 'etc/modprobe.d'), { recursive: true });
  const file = path.join(root, 'etc/modprobe.d/site.conf');
  writeFileSync(file, 'alias pci:v00001234d00000001 newer\n');
  t.deepEqual(await afterChange(root, () => rmSync(file)), ['card']);
});

test.serial('a second file beside one that is there already is seen, and files are not watched one by one', async t => {
  const { root } = fixture();
  mkdirSync(path.join(root, 'etc/modprobe.d'), { recursive: true });
  for (let n = 0; n < 100; n += 1) writeFileSync(path.join(root, `etc/modprobe.d/${n}.conf`), '# nothing\n');
  const modules = await afterChange(root, () => {
    writeFileSync(path.join(root, 'etc/modprobe.d/site.conf'), 'alias pci:v00001234d00000001 newer\n');
  });
  t.deepEqual(modules, ['newer']);
  t.deepEqual(unwatched, [], 'a hundred files in one folder are one watch');
});
