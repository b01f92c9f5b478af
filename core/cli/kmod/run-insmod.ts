import { statSync } from 'node:fs';
import path from 'node:path';
import { KernelLoader } from '../../pipeline/6-load/kernel-loader.ts';
import { refusalMeaning } from '../../pipeline/6-load/errno-meaning.ts';
import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';
import { findingText } from './explain-insertion.ts';
import { explainRefusal } from './explain-refusal.ts';
import { findingsOf, readKernelFacts, wrongParameters } from './gather-facts.ts';
import { fileTarget } from './insert-target.ts';
import { policyRefusals } from './modprobe-policy.ts';
import { joinParameters } from './join-parameters.ts';
import { openTree } from './tool-world.ts';
import { Priority } from './tool-log.ts';
import type { ToolRun } from './tool.ts';

/** insmod(8): one file into the kernel. */
export async function runInsmod(run: ToolRun): Promise<number> {
  const { host, log, roots, operands, has, given } = run;
  const [word, ...rest] = operands;
  if (word === undefined) {
    log.error('missing filename.');
    return 1;
  }
  if (word === '-') {
    log.error('this tool does not support loading from stdin!');
    return 1;
  }
  log.priority = Priority.error + given.filter(({ name }) => name === 'verbose').length;
  const file = path.resolve(word);
  // What has no last part names no module, whatever is there.
  const missing = /(?:^|\/)$/.test(word) ? 'ENOENT' : unreadable(file);
  if (missing !== undefined) {
    log.error(`could not load module ${word}: ${errnoText(missing)}`);
    return 1;
  }
  const force = {
    modversion: has('force') || has('force-modversion'),
    vermagic: has('force') || has('force-vermagic'),
  };
  const tree = openTree(run, {});
  if (has('why')) {
    const parameters = joinParameters(rest);
    const found = findingsOf(file, readKernelFacts(roots, tree), { roots, tree, force, comes: new Set(), parameters });
    host.out(
      has('json')
        ? `${JSON.stringify({ file, findings: found })}\n`
        : `${[file, ...found.map(findingText)].join('\n')}\n`,
    );
    return 0;
  }
  const refusal = await refusalOf(file, run);
  const { module } = fileTarget(file);
  if (refusal !== undefined) {
    run.acts.failed(module, `denied: ${refusal}`);
    if (has('json')) host.out(`${JSON.stringify({ file, errno: 'EPERM', refusal })}\n`);
    log.error(`could not insert module ${word}: ${errnoText('EPERM')}`);
    log.explain(`${refusal}; --override-policy REASON passes over it, and is recorded`);
    return 1;
  }
  const loader = new KernelLoader(roots, () => tree, { force });
  for (const { message } of wrongParameters(file, joinParameters(rest))) log.explain(`${module}: ${message}`);
  const errno = await loader.insert(file, joinParameters(rest));
  if (has('json')) host.out(`${JSON.stringify({ file, errno: errno ?? null })}\n`);
  if (errno === undefined) {
    run.acts.inserted(module);
    return 0;
  }
  run.acts.failed(module, `${errno}: ${refusalMeaning(errno, loader.restrictions())}`);
  log.error(`could not insert module ${word}: ${insmodErrorText(errno)}`);
  log.explain(refusalMeaning(errno, loader.restrictions()));
  for (const text of explainRefusal(file, errno, { roots, tree })) log.explain(text);
  return 1;
}

/** Why usherd's policy does not let the file's module in; undefined when it does. */
async function refusalOf(word: string, run: ToolRun): Promise<string | undefined> {
  const { module, file, asked } = fileTarget(word);
  const step = {
    kind: 'insert',
    module,
    role: 'target',
    required: true,
    path: file,
    parameters: '',
    optionPlaces: [],
  } as const;
  return (await policyRefusals({ target: module, steps: [step] }, asked, run)).get(module);
}

function unreadable(file: string): ErrnoName | undefined {
  try {
    statSync(file);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code as ErrnoName;
  }
}

/** What insmod says of an error, which for some of them is not what strerror(3) does. Source: insmod(8), as observed. */
function insmodErrorText(errno: ErrnoName): string {
  switch (errno) {
    case 'ENOEXEC':
      return 'Invalid module format';
    case 'ENOENT':
      return 'Unknown symbol in module';
    case 'ESRCH':
      return 'Module has wrong symbol version';
    case 'EINVAL':
      return 'Invalid parameters';
    default:
      return errnoText(errno);
  }
}
