/**
 * What our rules and `udevadm test` say of devices, one JSON line a device. Run inside test/support/sandbox.sh by rules.test.ts.
 * usage: both-answers.ts RULES_DIRS(colon between) SYS_TREE|- [RULE_FILE]   SYS_TREE is shown as /sys; RULE_FILE is put into the sandbox's
 * /run/udev/rules.d, where both read it
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { walkSysfs } from '../../../core/kernel/sysfs.ts';
import { runProgram } from '../../../core/kernel/run-program.ts';
import { systemRoot } from '../../../core/kernel/system-root.ts';
import { applyRules } from '../../../core/pipeline/4-policy/rules/apply-rules.ts';
import { loadRuleSet } from '../../../core/pipeline/4-policy/rules/rule-files.ts';
import { subjectOfDevice } from '../../../core/pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../../../core/pipeline/4-policy/rules/system-context.ts';
import type { Answer, BothAnswers } from './answers.ts';

const [dirs = '', tree = '-', ruleFile] = process.argv.slice(2);
if (tree !== '-') spawnSync('mount', ['--bind', tree, '/sys'], { stdio: 'inherit' });

if (ruleFile !== undefined) {
  mkdirSync('/run/udev/rules.d', { recursive: true });
  copyFileSync(ruleFile, '/run/udev/rules.d/00-test.rules');
}

const roots = systemRoot({}, { env: {}, uid: 0 });
const ruleSet = loadRuleSet(dirs.split(':'));
const devpaths = walkSysfs(roots).map(device => device.devpath);

/** Our answer, from what udevadm left of the devices asked about before this one. */
async function ours(devpath: string): Promise<Answer> {
  const context = new SystemContext(roots);
  const result = await applyRules(ruleSet, await subjectOfDevice(devpath, 'add', roots), context, {
    runProgram: async ({ words, env }) => {
      const end = await runProgram(words, env);
      return end.kind === 'exited' && end.status === 0 ? end.stdout : undefined;
    },
  });
  const { links, tags, run, properties, owner, group, mode } = result;
  return {
    properties: Object.fromEntries(properties),
    tags: tags.toSorted(),
    links: links.toSorted(),
    run: run.map(({ command }) => command),
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    ...(mode === undefined ? {} : { mode }),
    ...(result.name === undefined ? {} : { name: result.name }),
  };
}

async function theirs(devpath: string): Promise<Answer> {
  const env = { ...process.env, SYSTEMD_DEVICE_VERIFY_SYSFS: '0', SYSTEMD_LOG_COLOR: '0', LC_ALL: 'C' };
  const child = spawn('udevadm', ['test', '-a', 'add', `/sys${devpath}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, log] = [child.stdout, child.stderr].map(async stream => Buffer.concat(await stream.toArray()).toString());
  return readUdevadm(await (out ?? ''), await (log ?? ''));
}

/** The answer is on standard output, permissions and links are told in the log. */
function readUdevadm(out: string, log: string): Answer {
  const properties: Record<string, string> = {};
  const run: string[] = [];
  for (const line of out.split('\n')) {
    const equals = line.indexOf('=');
    const [, command] = /^run: '(.*)'$/.exec(line) ?? [];
    if (command !== undefined) run.push(command);
    else if (equals > 0) properties[line.slice(0, equals)] = line.slice(equals + 1);
  }
  const {
    TAGS: _tags = '',
    CURRENT_TAGS: tags = '',
    DEVLINKS: links = '',
    USEC_INITIALIZED: _time,
    ...rest
  } = properties;
  const told = [...log.matchAll(/:\d+ (OWNER|GROUP|MODE|NAME) '?([^'\n]*)'?$/gm)];
  const last = (key: string): string | undefined => told.findLast(([, name]) => name === key)?.[2];
  const [owner, group, mode, name] = ['OWNER', 'GROUP', 'MODE', 'NAME'].map(last);
  return {
    properties: rest,
    tags: tags
      .split(':')
      .filter(tag => tag !== '')
      .toSorted(),
    links: links
      .split(' ')
      .filter(link => link !== '')
      .map(link => path.posix.normalize(link).slice('/dev/'.length))
      .toSorted(),
    run,
    ...(owner === undefined ? {} : { owner: Number(owner) }),
    ...(group === undefined ? {} : { group: Number(group) }),
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(name === undefined ? {} : { name }),
  };
}

for (const devpath of devpaths) {
  const our = await ours(devpath);
  const both: BothAnswers = { devpath, ours: our, theirs: await theirs(devpath) };
  process.stdout.write(`${JSON.stringify(both)}\n`);
}
