import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Incident } from '../../core/pipeline/7-ledger/incident.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { jsonLines, startDaemon, usher } from '../support/usher.ts';

interface Told {
  readonly incident: Incident;
}

testUnless(whyNoRealUevents(), { isSerial: true })(
  'a running daemon goes through the rules for real events, takes new rules as they come, and keeps the old ones for wrong ones',
  async t => {
    const config = mkdtempSync(path.join(os.tmpdir(), 'usherd-config-'));
    t.teardown(() => rmSync(config, { recursive: true, force: true }));
    const file = path.join(config, 'usherd/rules.d/50.rules');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'ACTION=="change", KERNEL=="null", ENV{A}="1"\n');
    const daemon = await startDaemon(['--source', 'kernel', '--observe', '--config-root', config]);
    const incidents = async (kind: Incident['kind']): Promise<readonly Incident[]> =>
      jsonLines<Told>(await usher('history', '--incidents', '--json', '--state-dir', daemon.stateDir))
        .map(({ incident }) => incident)
        .filter(incident => incident.kind === kind);
    const change = async (): Promise<void> => {
      writeFileSync('/sys/devices/virtual/mem/null/uevent', 'change');
      t.is((await usher('settle', '--state-dir', daemon.stateDir)).status, 0);
    };
    const until = async (kind: Incident['kind'], count: number): Promise<void> => {
      while ((await incidents(kind)).length < count) await usher('settle', '--state-dir', daemon.stateDir);
    };
    await change();
    writeFileSync(file, 'ACTION=="change", KERNEL="null", ENV{A}="1"\n');
    await until('rules-refused', 1);
    await change();
    writeFileSync(file, 'ACTION=="change", KERNEL=="null", ENV{A}="2"\n');
    await until('rules-loaded', 2);
    await change();
    t.is(await daemon.stop(), 0);
    const hits = (await incidents('rule-hits')).map(
      incident => incident.kind === 'rule-hits' && incident.hits[`${file}:1`],
    );
    // Others make events of this device, too.
    t.is(hits.length, 2);
    t.true(Number(hits[0]) >= 2 && Number(hits[1]) >= 1, hits.join(' '));
  },
);
