import { rmSync } from 'node:fs';
import path from 'node:path';
import { driverSettingsOf } from '../daemon/settings.ts';
import { openWorld } from '../daemon/module-world.ts';
import { readSettings } from '../daemon/read-settings.ts';
import { refreshIndexes } from '../drivers/install/apt-get.ts';
import { driverFinders, searchDrivers, type DriverSearch } from '../drivers/search.ts';
import { UsherdError } from '../errors.ts';
import { escapeForTerminal } from '../pipeline/8-report/terminal.ts';
import { runningRelease } from './call-verb.ts';
import { driverWishes, unboundWishes } from './driver-subject.ts';
import type { Caller } from './verb.ts';

/** What is known of drivers for each device that words mean, without any for each that has no driver. On a terminal it is told what is being read. */
export async function* searchAll(words: readonly string[], caller: Caller): AsyncGenerator<DriverSearch> {
  const { roots, stderr } = caller;
  const release = caller.release ?? runningRelease();
  const world = openWorld(roots, release);
  const settings = driverSettingsOf(readSettings(roots.configDirs).settings);
  const progress = (text: string): void => {
    if (stderr.isTTY === true) stderr.write(`\r\u001b[K${escapeForTerminal(text)}`);
  };
  const finders = driverFinders(roots, world);
  const wishes =
    words.length === 0
      ? unboundWishes(caller, world, release)
      : words.flatMap(word => driverWishes(word, caller, world, release));
  for (const wish of wishes) {
    const found = await searchDrivers(wish, { roots, finders, settings, progress });
    if (stderr.isTTY === true) stderr.write('\r\u001b[K');
    yield found;
  }
}

/** Has apt fetch its indexes anew. @throws {UsherdError} NOT_PERMITTED, FILE_UNREADABLE when it cannot */
export async function refreshForSearch({ roots, uid, stderr }: Caller): Promise<void> {
  if (uid !== 0)
    throw new UsherdError(
      'NOT_PERMITTED',
      'only root has apt fetch its indexes; a search without --refresh needs nothing',
    );
  const workDir = path.join(roots.root, 'var/cache/usherd', `refresh-${process.pid}`);
  const complaint = await refreshIndexes({ root: roots.root, workDir }, text => {
    stderr.write(`  ${escapeForTerminal(text)}\n`);
  });
  rmSync(workDir, { recursive: true, force: true });
  if (complaint !== undefined)
    throw new UsherdError('FILE_UNREADABLE', `apt could not fetch its indexes: ${complaint}`);
}
