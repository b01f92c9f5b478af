import test from 'ava';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compiledFile } from '../../core/cli/load-part.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');
const LOAD = `
  const { readFileSync } = require('node:fs');
  for (const file of process.argv.slice(1)) {
    const cachedData = readFileSync(file + '.compiled');
    const script = new (require('node:vm').Script)(readFileSync(file, 'latin1'), { filename: file, cachedData });
    console.log(file, script.cachedDataRejected ? 'refused' : 'taken');
  }`;

test('a Node with the flags of usher takes the code that is kept beside dist/', t => {
  const parts = readdirSync(dist)
    .filter(name => name.endsWith('.compiled'))
    .map(name => path.join(dist, path.basename(name, compiledFile(''))));
  t.true(parts.includes(path.join(dist, 'usherd.cjs')));
  const [flags = ''] = /--.*/.exec(readFileSync(path.join(dist, 'usher'), 'utf8').split('\n', 1)[0] ?? '') ?? [];
  const told = execFileSync(process.execPath, [...flags.split(' '), '-e', LOAD, ...parts], { encoding: 'utf8' });
  t.deepEqual(
    told.trim().split('\n'),
    parts.map(file => `${file} taken`),
  );
});
