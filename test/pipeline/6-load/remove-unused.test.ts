import { symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { openWorld } from '../../../core/daemon/module-world.ts';
import { systemRoot } from '../../../core/kernel/system-root.ts';
import type { ModuleRemover } from '../../../core/pipeline/6-load/execute-removal.ts';
import { removeUnused } from '../../../core/pipeline/6-load/remove-unused.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { makeFakeKernel } from '../../support/fake-kernel.ts';
import { makeSys } from '../../support/made-sys.ts';
import { makeWorld, WORLD_RELEASE } from '../../support/module-world.ts';

test('a module goes alone, and only when no module, process or device uses it', async t => {
  const folder = `lib/modules/${WORLD_RELEASE}`;
  const { root } = makeWorld(t, {
    files: {
      [`${folder}/modules.dep`]: 'e100.ko: mii.ko\nmii.ko:\nbusy.ko:\nserial.ko:\n',
      [`${folder}/modules.builtin`]: 'kernel/fs/ext4.ko\n',
    },
  });
  makeFakeKernel(root, [
    { name: 'e100', refcnt: 0 },
    { name: 'mii', refcnt: 1, holders: ['e100'] },
    { name: 'busy', refcnt: 2 },
    { name: 'serial', refcnt: 0 },
  ]);
  const devpath = '/devices/pci0000:00/0000:00:03.0';
  const sys = path.join(root, 'sys');
  makeSys(sys, [{ devpath, subsystem: 'pci', driver: 'serial_pci' }]);
  symlinkSync('../../../../module/serial', path.join(sys, 'bus/pci/drivers/serial_pci/module'));
  const roots = systemRoot({ root }, { env: {}, uid: 0 });
  const removed: string[] = [];
  const remover: ModuleRemover = {
    remove: async module => {
      removed.push(module);
      return undefined;
    },
    refcntOf: () => 0,
    runCommand: async () => ({ kind: 'exited', status: 0 }),
  };
  const world = openWorld(roots, WORLD_RELEASE);
  const wish = (name: string): Promise<unknown> => removeUnused(moduleName(name), world, roots, remover);
  t.deepEqual(await wish('mii'), { refused: 'mii is used by e100' });
  t.deepEqual(await wish('busy'), { refused: 'busy is used by a process or a mount' });
  t.deepEqual(await wish('serial'), { refused: `${devpath} is driven by serial (serial_pci)` });
  t.deepEqual(await wish('ext4'), { refused: 'ext4 is built in' });
  t.deepEqual(await wish('absent'), { unloaded: [] });
  t.deepEqual(removed, []);
  t.deepEqual(await wish('e100'), { unloaded: ['e100'] });
  t.deepEqual(removed, ['e100']);
});
