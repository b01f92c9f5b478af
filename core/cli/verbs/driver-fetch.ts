import { writeFileSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { textOption } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverFetch: Verb = {
  name: 'driver fetch',
  summary: 'fetch one file whose size and hash are known, without any privilege',
  description: [
    'What usher driver install starts as another user, without privileges, to fetch a file of a signed catalogue: over TLS, without following redirections, no more bytes than the catalogue says, and only when its SHA-256 is the one the catalogue has. It refuses to run as root.',
  ],
  arguments: [
    { name: 'url', description: 'an https address', isRequired: true },
    { name: 'file', description: 'where it is written to', isRequired: true, completes: 'file' },
  ],
  options: [
    { flags: '--sha256 <hash>', description: 'what it must be' },
    { flags: '--size <bytes>', description: 'how long it must be' },
  ],
  examples: [
    {
      command: 'usher driver fetch https://drivers.example.org/acme.ko acme.ko --sha256 9f86… --size 28160',
      does: 'Fetch it, or say why not.',
    },
  ],
  exitStatuses: { 14: 'it was refused' },
  run: runFetch,
};

async function runFetch(
  [url = '', file = '']: readonly string[],
  options: OptionValues,
  caller: Caller,
): Promise<number> {
  if (caller.uid === 0)
    throw new UsherdError('USAGE', 'usher driver fetch reads from the network: it does not run as root');
  const [sha256, size] = [textOption(options, 'sha256') ?? '', Number(textOption(options, 'size'))];
  if (!/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(size) || size <= 0)
    throw new UsherdError('USAGE', '--sha256 needs 64 hexadecimal digits, --size a number of bytes');
  const { fetchFile } = await import('../../drivers/install/fetch-file.ts');
  const refusal = await fetchFile({ url, sha256, sizeBytes: size }, bytes => {
    writeFileSync(file, bytes, { flag: 'wx' });
  });
  if (refusal === undefined) return 0;
  caller.stderr.write(`usher: ${refusal}\n`);
  return 14;
}
