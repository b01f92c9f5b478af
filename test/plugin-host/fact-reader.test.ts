import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SysfsFacts } from '../../core/plugin-host/fact-reader.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';

test('that a module is not signed taints only a kernel that looks at signatures', t => {
  const sys = mkdtempSync(path.join(os.tmpdir(), 'usherd-facts-'));
  t.teardown(() => rmSync(sys, { recursive: true, force: true }));
  const traits = { license: 'NVIDIA', signer: '', taints: ['P', 'O', 'E'] };
  const module = moduleName('nvidia');
  t.deepEqual(new SysfsFacts({ sys }, () => traits).traitsOf(module), { ...traits, taints: ['P', 'O'] });
  t.is(new SysfsFacts({ sys }, () => undefined).traitsOf(module), undefined);
  mkdirSync(path.join(sys, 'module/module/parameters'), { recursive: true });
  writeFileSync(path.join(sys, 'module/module/parameters/sig_enforce'), 'N\n');
  t.deepEqual(new SysfsFacts({ sys }, () => traits).traitsOf(module), traits);
});
