import { readlinkSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { fetcherUser, withoutNetwork, withoutPrivileges } from '../../core/drivers/install/confine.ts';
import { runTool } from '../../core/drivers/install/run-tool.ts';
import { whyNoRepository } from '../support/apt-world.ts';
import { testUnless } from '../support/skip-aloud.ts';

const real = testUnless(whyNoRepository());
const LOOK = [
  'sh',
  '-c',
  'id -u; id -G; readlink /proc/self/ns/net; grep -E "^(CapEff|CapBnd|CapInh|NoNewPrivs):" /proc/self/status',
];
const OURS = readlinkSync('/proc/self/ns/net');

real(
  'what reads from the network has the network, another user, no groups of ours and no capability, now or later',
  async t => {
    const fetcher = fetcherUser();
    if (fetcher === undefined) throw new Error('neither _apt nor nobody is there');
    const { status, stdout } = await runTool(withoutPrivileges(LOOK, fetcher));
    t.is(status, 0);
    const [uid, groups, network, ...facts] = stdout;
    t.deepEqual([uid, groups, network], [String(fetcher.uid), String(fetcher.gid), OURS]);
    t.deepEqual(facts.map(line => line.replace(/\s+/, ' ')).toSorted(), [
      'CapBnd: 0000000000000000',
      'CapEff: 0000000000000000',
      'CapInh: 0000000000000000',
      'NoNewPrivs: 1',
    ]);
  },
);

real('what installs has its privileges and a network namespace without anything in it', async t => {
  const { status, stdout } = await runTool(
    withoutNetwork([...LOOK.slice(0, 2), `${LOOK[2]}; tail -n +3 /proc/net/dev`]),
  );
  t.is(status, 0);
  const [uid, , network] = stdout;
  t.is(uid, '0');
  t.not(network, OURS);
  t.deepEqual(
    stdout.slice(7).map(line => line.trim().split(':')[0]),
    ['lo'],
  );
});

test('a tool gets its words as they are, and nothing of our environment but what the network needs', async t => {
  process.env['USHERD_SECRET'] = 'secret';
  const words = ['$(reboot)', '; id', '"', "it's", '--'];
  const { stdout } = await runTool(['sh', '-c', 'printf "%s\\n" "$@"; env', 'sh', ...words], { env: { OWN: 'given' } });
  delete process.env['USHERD_SECRET'];
  t.deepEqual(stdout.slice(0, words.length), words);
  const names = stdout.slice(words.length).map(line => line.split('=')[0] ?? '');
  t.true(names.includes('OWN') && names.includes('DEBIAN_FRONTEND'));
  t.false(names.includes('USHERD_SECRET'));
});

test('a tool that cannot be started, fails, or runs too long is told apart', async t => {
  t.is((await runTool(['/nonexistent/tool'])).status, -1);
  t.deepEqual(await runTool(['sh', '-c', 'echo out; echo err >&2; exit 3']), {
    status: 3,
    stdout: ['out'],
    stderr: ['err'],
  });
  const late = await runTool(['sleep', '600'], { maxMs: 50 });
  t.deepEqual(late, { status: -2, stdout: [], stderr: ['sleep was ended by SIGKILL'] });
});

test('the user that fetches is the first of those that are there', t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-passwd-'));
  const passwd = path.join(dir, 'passwd');
  writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  t.deepEqual(fetcherUser(passwd), { name: 'nobody', uid: 65_534, gid: 65_534 });
  writeFileSync(passwd, '_apt:x:0:0::/:/bin/false\n');
  t.is(fetcherUser(passwd), undefined);
  t.is(fetcherUser(path.join(dir, 'none')), undefined);
});
