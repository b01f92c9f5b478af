import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseUeventFile } from '../../core/kernel/sysfs.ts';
import { ueventFiles, whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { jsonLines, startDaemon, usher } from '../support/usher.ts';

interface Entry {
  readonly deliberation?: {
    readonly decisions: readonly {
      readonly module: string;
      readonly verdict: string;
      readonly winner?: { readonly by: string; readonly reason: string };
    }[];
  };
}

testUnless(whyNoRealUevents())(
  'a device of this machine that asks for a blacklisted module is denied it, and notify tells a command',
  async t => {
    const found = ueventFiles()
      .map(file => ({ file, modalias: parseUeventFile(readFileSync(file, 'latin1'))['MODALIAS'] }))
      .find(({ modalias = '' }) => /^[a-z]+:[\w:.]+$/.test(modalias));
    t.truthy(found, 'there is no device with a plain modalias');
    if (found?.modalias === undefined) return;
    const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-bundled-')));
    chmodSync(folder, 0o755);
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const [plugins, tree, told] = [
      path.join(folder, 'usherd/plugins'),
      path.join(folder, 'modules'),
      path.join(folder, 'told.json'),
    ];
    for (const dir of [plugins, tree]) mkdirSync(dir, { recursive: true, mode: 0o755 });
    writeFileSync(path.join(tree, 'modules.dep'), 'made-up.ko:\n');
    writeFileSync(path.join(tree, 'modules.alias'), `alias ${found.modalias} made_up\n`);
    writeFileSync(
      path.join(plugins, 'blacklist.toml'),
      '[[settings.rules]]\nmodules = ["made-up"]\nreason = "not here"\n',
    );
    const sink = `[[settings.sinks]]\nkind = "command"\nrun = ["/usr/bin/tee", ${JSON.stringify(told)}]\n`;
    writeFileSync(path.join(plugins, 'notify.toml'), sink);
    const where = ['--modules-root', tree, '--kernel', '6.1.0-made', '--config-root', folder];
    const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug', ...where]);
    t.teardown(() => daemon.kill());
    writeFileSync(found.file, 'add');
    const reason = 'not here: blacklisted by module "made-up"';
    for (;;) {
      const at = ['--state-dir', daemon.stateDir];
      const [entry] = jsonLines<Entry>(await usher('history', '--json', '--verdict', 'deny', ...at));
      if (entry === undefined) await pause(50);
      else {
        const [decision] = entry.deliberation?.decisions ?? [];
        t.like(decision, { module: 'made_up', verdict: 'deny', winner: { by: 'plugin blacklist', reason } });
        break;
      }
    }
    for (;;) {
      const text = read(told);
      if (text.endsWith('\n')) {
        t.like(JSON.parse(text), { occasion: 'denied', module: 'made_up', by: 'plugin blacklist', reason });
        break;
      }
      await pause(20);
    }
    t.is(await daemon.stop(), 0);
  },
);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
