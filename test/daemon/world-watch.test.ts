import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { WorldWatch } from '../../core/daemon/world-watch.ts';

/** Longer than changes are taken together for. */
const AFTER_A_CHANGE_MS = 500;

test('a folder on the way to a path is no change, the path itself is one, whichever way it comes', async t => {
  const top = mkdtempSync(path.join(os.tmpdir(), 'usherd-watch-'));
  let changes = 0;
  const watch = new WorldWatch([path.join(top, 'run/usherd/rules.d')], () => (changes += 1));
  t.teardown(() => watch.close());
  mkdirSync(path.join(top, 'run/usherd'), { recursive: true });
  writeFileSync(path.join(top, 'run/usherd/socket'), '');
  await pause(AFTER_A_CHANGE_MS);
  t.is(changes, 0);
  mkdirSync(path.join(top, 'run/usherd/rules.d'));
  await pause(AFTER_A_CHANGE_MS);
  t.is(changes, 1);
});

test('a path that comes together with all folders above it is a change', async t => {
  const top = mkdtempSync(path.join(os.tmpdir(), 'usherd-watch-'));
  let changes = 0;
  const watch = new WorldWatch([path.join(top, 'a/b/c')], () => (changes += 1));
  t.teardown(() => watch.close());
  mkdirSync(path.join(top, 'a/b/c'), { recursive: true });
  await pause(AFTER_A_CHANGE_MS);
  t.is(changes, 1);
});
