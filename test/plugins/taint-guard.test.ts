import test from 'ava';
import { deny, hold, type ModuleTraits } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';
import taintGuard from '../../plugins/taint-guard/index.ts';

const clean: ModuleTraits = { license: 'GPL', signer: 'Debian Secure Boot CA', taints: [] };
const nvidia: ModuleTraits = { license: 'NVIDIA', signer: '', taints: ['P', 'O', 'E'] };

test('a module that would taint the kernel is refused, with each letter and why', async t => {
  const plugin = await startPlugin(taintGuard);
  const why =
    'nvidia would taint the kernel until the next boot: P, its licence is "NVIDIA", which is not compatible with the GPL; O, it was built outside the kernel tree; E, nobody signed it';
  t.deepEqual(await plugin.opine({ module: 'nvidia', traits: nvidia }), deny(why));
  t.deepEqual(await plugin.opine({ module: 'nvidia', role: 'softdep', traits: nvidia }), deny(why));
  t.is(await plugin.opine({ module: 'e1000e', traits: clean }), undefined);
});

test('every taint that a module foretells has its reason', async t => {
  const plugin = await startPlugin(taintGuard);
  const taints = ['C', 'K', 'N'];
  const why =
    'mixed would taint the kernel until the next boot: C, it is a staging driver, not yet good enough for the kernel; K, it is a live patch; N, it is a test of the kernel (KUnit)';
  t.deepEqual(await plugin.opine({ module: 'mixed', traits: { ...clean, taints } }), deny(why));
  const unnamed = { license: '', signer: '', taints: ['P'] };
  const says = 'none would taint the kernel until the next boot: P, it names no licence';
  t.deepEqual(await plugin.opine({ module: 'none', traits: unnamed }), deny(says));
});

test('only what is forbidden counts, and what is allowed by name does not', async t => {
  const settings = { forbid: ['P'], allow: ['vbox*', 'wl'], verdict: 'hold' };
  const plugin = await startPlugin(taintGuard, { settings });
  const why =
    'nvidia would taint the kernel until the next boot: P, its licence is "NVIDIA", which is not compatible with the GPL';
  t.deepEqual(await plugin.opine({ module: 'nvidia', traits: nvidia }), hold(why));
  t.is(await plugin.opine({ module: 'vboxdrv', traits: { ...clean, taints: ['P', 'O'] } }), undefined);
  t.is(await plugin.opine({ module: 'zfs', traits: { ...clean, taints: ['O'] } }), undefined);
});

test('a module that is built in has no file, and is none of its business', async t => {
  const plugin = await startPlugin(taintGuard);
  t.is(await plugin.opine({ module: 'ext4' }), undefined);
});

test('with nothing forbidden nobody is asked', async t => {
  const plugin = await startPlugin(taintGuard, { settings: { forbid: [] } });
  t.deepEqual(plugin.hooks, []);
});

test('a letter that no file foretells is refused with the ones there are', async t => {
  await t.throwsAsync(startPlugin(taintGuard, { settings: { forbid: ['P', 'F'] } }), {
    message: /forbid\.1: "F" is no taint that a module's file foretells: wanted one of P, C, O, E, K, N/,
  });
  await t.throwsAsync(startPlugin(taintGuard, { settings: { forbids: [] } }), { message: /forbids/ });
});
