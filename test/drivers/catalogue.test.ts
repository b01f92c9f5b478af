import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { DOWNLOAD_MAX_BYTES, parseCatalogue, readCatalogues } from '../../core/drivers/catalogue.ts';
import type { Problem } from '../../core/vocabulary/place.ts';
import { whyNoRepository } from '../support/apt-world.ts';
import { DriverWorld, PATTERN, RELEASE } from '../support/driver-world.ts';
import { testUnless } from '../support/skip-aloud.ts';

const HASH = 'ab'.repeat(32);

/** A signed catalogue in a configuration folder. */
function signed(dir: string, name: string, text: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  for (const folder of ['catalogue.d', 'catalogue-keys']) mkdirSync(path.join(dir, folder), { recursive: true });
  writeFileSync(path.join(dir, 'catalogue-keys', `${name}.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(path.join(dir, 'catalogue.d', `${name}.toml`), text);
  writeFileSync(
    path.join(dir, 'catalogue.d', `${name}.toml.sig`),
    sign(null, Buffer.from(text), privateKey).toString('base64'),
  );
}

function entry(lines: readonly string[]): string {
  return ['[[driver]]', ...lines, ''].join('\n');
}

const GOOD = [
  'hosts = ["drivers.example.org"]',
  entry(['id = "acme"', `modaliases = ["${PATTERN}"]`, 'package = "acme-dkms"', 'license = "Proprietary"']),
  entry([
    'id = "acme-file"',
    `modaliases = ["${PATTERN}"]`,
    'url = "https://drivers.example.org/6.1/acme.ko.xz"',
    `sha256 = "${HASH}"`,
    'size = 1234',
    `release = "${RELEASE}"`,
    'version = "1.2"',
  ]),
].join('\n');

test('entries of a signed catalogue are packages, or files with their hash', t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-catalogue-'));
  signed(dir, 'acme', GOOD);
  const file = path.join(dir, 'catalogue.d/acme.toml');
  const common = { catalogue: 'acme', modaliases: [PATTERN] };
  t.deepEqual(readCatalogues([dir]) as unknown, {
    entries: [
      {
        ...common,
        id: 'acme',
        version: '',
        license: 'Proprietary',
        what: { kind: 'package', package: 'acme-dkms' },
        place: { file, line: 2 },
      },
      {
        ...common,
        id: 'acme-file',
        version: '1.2',
        license: '',
        what: {
          kind: 'file',
          url: 'https://drivers.example.org/6.1/acme.ko.xz',
          sha256: HASH,
          sizeBytes: 1234,
          release: RELEASE,
          fileName: 'acme.ko.xz',
        },
        place: { file, line: 8 },
      },
    ],
    problems: [],
  });
});

test('a catalogue that nobody signed, or another key, or that was changed, is not taken at all', t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-catalogue-'));
  for (const name of ['changed', 'unsigned', 'other']) signed(dir, name, GOOD);
  const at = (name: string): string => path.join(dir, 'catalogue.d', name);
  writeFileSync(at('changed.toml'), GOOD.replace('1234', '1235'));
  execFileSync('rm', [at('unsigned.toml.sig'), path.join(dir, 'catalogue-keys/other.pem')]);
  const { entries, problems } = readCatalogues([dir]);
  t.deepEqual(entries, []);
  t.deepEqual(
    problems.map(({ place, message }) => [path.basename(place.file), message]),
    [
      ['changed.toml', 'its signature is by none of the keys; nothing of it is taken'],
      ['other.toml', 'its signature is by none of the keys; nothing of it is taken'],
      ['unsigned.toml', 'it is not signed (NAME.toml.sig is missing); nothing of it is taken'],
    ],
  );
});

test('an entry that is not sound is told with its line, and the others count', t => {
  const file = (more: readonly string[]): string =>
    entry(['id = "x"', 'modaliases = ["pci:*"]', `sha256 = "${HASH}"`, 'size = 1', 'release = "6.1.0"', ...more]);
  const text = [
    'hosts = ["drivers.example.org"]',
    file(['url = "http://drivers.example.org/a.ko"']),
    file(['url = "https://evil.example.org/a.ko"']),
    file(['url = "https://drivers.example.org/a.sh"']),
    file(['url = "https://drivers.example.org/..%2fa.ko"']),
    entry(['id = "../x"', 'modaliases = ["pci:*"]', 'package = "a"']),
    entry(['id = "y"', 'package = "b"']),
    entry(['id = "z"', 'modaliases = ["pci:*"]', 'package = "b; reboot"']),
    entry([
      'id = "w"',
      'modaliases = ["pci:*"]',
      `sha256 = "${HASH}"`,
      'url = "https://drivers.example.org/a.ko"',
      `size = ${DOWNLOAD_MAX_BYTES + 1}`,
    ]),
    entry(['id = "good"', 'modaliases = ["pci:v1*"]', 'package = "good-one"']),
  ].join('\n');
  const problems: Problem[] = [];
  t.deepEqual(
    parseCatalogue(text, 'c.toml', problems).map(({ id }) => id),
    ['good'],
  );
  t.is(problems.length, 8);
  t.true(problems.every(({ place }) => place.line !== undefined));
  const bad: Problem[] = [];
  t.deepEqual(parseCatalogue('[[driver]]\nid = ', 'c.toml', bad), []);
  t.is(bad.length, 1);
});

test('whatever a catalogue says, its reader gives entries and problems and throws nothing', t => {
  const value = fc.constantFrom('"a"', '1', '[]', '["pci:*"]', 'true', '{}', '"https://a.example.org/x.ko"', '"');
  const key = fc.constantFrom('id', 'modaliases', 'package', 'url', 'sha256', 'size', 'release', 'driver', 'hosts');
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 8 }), fc.boolean(), (pairs, isEntry) => {
        const lines = pairs.map(([name, text]) => `${name} = ${text}`);
        parseCatalogue([...(isEntry ? ['[[driver]]'] : []), ...lines].join('\n'), 'c.toml', []);
      }),
    ),
  );
});

const real = testUnless(
  whyNoRepository() ?? (spawnSync('openssl', ['version']).status === 0 ? undefined : 'not installed: openssl'),
);

/** A server of files over TLS, for this machine's own name, and the certificate to know it by. */
async function tlsServer(
  t: ExecutionContext,
  answer: (url: string) => Buffer | undefined,
): Promise<{ port: number; certificate: string }> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-tls-'));
  chmodSync(dir, 0o755);
  const [key, certificate] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
  const words = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=localhost',
  ];
  execFileSync('openssl', [...words, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  chmodSync(certificate, 0o644);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const bytes = answer(request.url ?? '');
    if (bytes === undefined) response.writeHead(302, { location: '/elsewhere' }).end();
    else response.end(bytes);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, certificate };
}

real(
  'a file of a catalogue is fetched over TLS by a user without privileges, and put in place only with the pinned hash',
  async t => {
    const content = Buffer.from('a module of the vendor');
    let served: Buffer | undefined = content;
    const { port, certificate } = await tlsServer(t, () => served);
    const here = new DriverWorld([]);
    t.teardown(() => here.remove());
    signed(
      path.join(here.root, 'etc/usherd'),
      'acme',
      `hosts = ["localhost"]\n${entry([
        'id = "acme-file"',
        `modaliases = ["${PATTERN}"]`,
        `url = "https://localhost:${port}/acme.ko"`,
        `sha256 = "${createHash('sha256').update(content).digest('hex')}"`,
        `size = ${content.length}`,
        `release = "${RELEASE}"`,
      ])}`,
    );
    const placed = path.join(here.root, `lib/modules/${RELEASE}/updates/usherd/acme.ko`);
    const before = here.state();
    // Nobody has said that this server is to be known.
    const unknown = await here.install('--yes');
    t.is(unknown.status, 14);
    t.regex(unknown.stderr, /self-signed certificate/);
    process.env['NODE_EXTRA_CA_CERTS'] = certificate;
    t.teardown(() => {
      delete process.env['NODE_EXTRA_CA_CERTS'];
    });
    const cases: readonly (readonly [Buffer | undefined, RegExp])[] = [
      [Buffer.from('a module of somebody el'), /it has \d+ bytes|longer than the/],
      [Buffer.from('A module of the vendor'), /it has the SHA-256 [0-9a-f]{64}, the catalogue says/],
      [Buffer.alloc(100_000), /longer than the 22 bytes that are pinned/],
      [undefined, /answers with status 302; wanted 200/],
    ];
    for (const [answer, wanted] of cases) {
      served = answer;
      const { status, stderr } = await here.install('--yes');
      t.is(status, 14);
      t.regex(stderr, wanted);
      t.is(here.state(), before);
    }
    served = content;
    const { status, stderr } = await here.install('--yes');
    t.is(status, 0, stderr);
    t.is(readFileSync(placed, 'utf8'), content.toString());
    const [last] = (await here.transactions()).toReversed();
    t.is(last?.files[0]?.path, `lib/modules/${RELEASE}/updates/usherd/acme.ko`);
    // Cut off after the file was in place, and before.
    const journal = path.join(here.root, 'var/lib/usherd/drivers', `${last?.id}.json`);
    const record = JSON.parse(readFileSync(journal, 'utf8')) as object;
    writeFileSync(journal, JSON.stringify({ ...record, state: 'open', step: 'install' }));
    t.is((await here.usher('driver', 'recover')).status, 0);
    t.is((await here.transactions()).at(-1)?.state, 'installed');
    rmSync(placed);
    writeFileSync(journal, JSON.stringify({ ...record, state: 'open', step: 'install' }));
    t.is((await here.usher('driver', 'recover')).status, 0);
    t.is((await here.transactions()).at(-1)?.state, 'undone');
  },
);

real('a catalogue signed by openssl, as the README has it, is taken', t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-catalogue-'));
  for (const folder of ['catalogue.d', 'catalogue-keys']) mkdirSync(path.join(dir, folder));
  const readme = readFileSync(path.join(import.meta.dirname, '../../plugins/vendor-driver/README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind, text = '']) => ({ kind, text }));
  const example = blocks.find(({ kind, text }) => kind === 'toml' && text.includes('[[driver]]'))?.text ?? '';
  const commands = blocks.find(({ kind }) => kind === 'sh')?.text ?? '';
  for (const name of ['acme.toml', 'catalogue.d/acme.toml']) writeFileSync(path.join(dir, name), example);
  execFileSync('sh', ['-e', '-c', commands.replaceAll('/etc/usherd', dir)], { cwd: dir, stdio: 'ignore' });
  const { entries, problems } = readCatalogues([dir]);
  t.deepEqual([entries.map(({ id }) => id), problems], [['acme', 'acme-built'], []]);
});

real('the fetching program does not run as root', async t => {
  const here = new DriverWorld([]);
  t.teardown(() => here.remove());
  const { status, stderr } = await here.usher(
    'driver',
    'fetch',
    'https://localhost/a',
    '/tmp/a',
    '--sha256',
    HASH,
    '--size',
    '1',
  );
  t.is(status, 2);
  t.regex(stderr, /does not run as root/);
});
