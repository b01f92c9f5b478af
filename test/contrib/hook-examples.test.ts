import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { HOOK_EXAMPLES, pluginsPage, PLUGINS_PAGE_FILE } from '../../contrib/dev/plugins-page.ts';
import afterLoad from '../../contrib/examples/hooks/after-load.ts';
import nomatch from '../../contrib/examples/hooks/nomatch.ts';
import observe from '../../contrib/examples/hooks/observe.ts';
import opine from '../../contrib/examples/hooks/opine.ts';
import report from '../../contrib/examples/hooks/report.ts';
import { deny, type PluginHandled } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';

const top = path.resolve(import.meta.dirname, '../..');
const devpath = '/devices/pci0000:00/0000:00:05.0';

const handled: PluginHandled = {
  event: { action: 'add', devpath, subsystem: 'pci', env: {}, origin: 'kernel', receivedAtMs: 0 },
  device: { devpath, subsystem: 'pci' },
  candidates: ['e100'],
  decisions: [{ module: 'e100', verdict: 'deny', by: 'administrator', reason: 'not here' }],
  outcomes: [
    { module: 'mii', kind: 'inserted' },
    { module: 'e100', kind: 'skipped' },
  ],
};

test('the manual of plugins has each example as it stands in its file (npm run docs)', t => {
  t.is(readFileSync(path.join(top, PLUGINS_PAGE_FILE), 'utf8'), pluginsPage());
  t.deepEqual(
    HOOK_EXAMPLES.map(({ file }) => file).toSorted(),
    readdirSync(path.join(top, 'contrib/examples/hooks')).toSorted(),
  );
});

test('the example of observe counts what is unplugged, over restarts', async t => {
  const plugin = await startPlugin(observe, { store: { '/devices/usb1/1-2': 4 } });
  await plugin.observe({ action: 'remove', devpath: '/devices/usb1/1-2', subsystem: 'usb' });
  await plugin.observe({ action: 'add', devpath: '/devices/usb1/1-3', subsystem: 'usb' });
  t.deepEqual(plugin.log, ['info: /devices/usb1/1-2 was unplugged for the 5. time']);
});

test('the example of opine denies what nobody signed', async t => {
  const plugin = await startPlugin(opine);
  const device = { subsystem: 'usb' };
  const traits = { license: 'GPL', signer: '', taints: [] };
  t.deepEqual(await plugin.opine({ module: 'odd', device, traits }), deny('nobody signed odd'));
  t.is(await plugin.opine({ module: 'even', device, traits: { ...traits, signer: 'Debian' } }), undefined);
  t.is(await plugin.opine({ module: 'odd', device: { subsystem: 'pci' }, traits }), undefined);
});

test('the example of nomatch knows a package', async t => {
  const plugin = await startPlugin(nomatch);
  t.deepEqual(await plugin.nomatch({ modalias: 'pci:v000010DEd00001B80sv0sd0bc03sc00i00' }), [
    { title: 'nvidia-driver', reason: 'it drives devices of vendor 10de', command: 'apt install nvidia-driver' },
  ]);
  t.deepEqual(await plugin.nomatch({ modalias: 'usb:v0951p1666' }), []);
});

test('the example of afterLoad removes what was inserted, when it may', async t => {
  const plugin = await startPlugin(afterLoad);
  await plugin.afterLoad(handled);
  t.deepEqual(plugin.actions, [{ kind: 'unload', module: 'mii' }]);
  t.deepEqual(plugin.log, [`info: mii loads for ${devpath}`]);
  const unwanted = await startPlugin(afterLoad, { grants: [] });
  await t.throwsAsync(unwanted.afterLoad(handled), { message: 'it was not granted "unload"' });
});

test('the example of report tells of denials', async t => {
  const plugin = await startPlugin(report);
  await plugin.report({ kind: 'handled', ...handled });
  await plugin.report({ kind: 'notice', level: 'info', message: 'hello' });
  t.deepEqual(plugin.log, [`warn: e100 for ${devpath}: administrator: not here`]);
});
