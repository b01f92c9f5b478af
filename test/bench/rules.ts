/**
 * Rules of a whole system over every device of /sys, in this process: µs of CPU per event.
 * usage: rules.ts RULES_DIRS ROUNDS → one JSON line. Run by main.ts, beside udevd's cost of the same rules.
 */
import os from 'node:os';
import { native } from '../../core/kernel/native.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { walkSysfs } from '../../core/kernel/sysfs.ts';
import { applyRules } from '../../core/pipeline/4-policy/rules/apply-rules.ts';
import { loadRuleSet } from '../../core/pipeline/4-policy/rules/rule-files.ts';
import { subjectOfEvent } from '../../core/pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../../core/pipeline/4-policy/rules/system-context.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';

native();
const [dirs = '/usr/lib/udev/rules.d', rounds = '20'] = process.argv.slice(2);
const roots = systemRoot({}, { env: {}, uid: 0 });
const started = performance.now();
const ruleSet = loadRuleSet(dirs.split(':'));
const loadMs = performance.now() - started;
const context = new SystemContext(roots);
const events = walkSysfs(roots).map(({ devpath, subsystem, env }): Uevent => ({
  action: 'add',
  devpath,
  subsystem,
  env: { ACTION: 'add', DEVPATH: devpath, SUBSYSTEM: subsystem, ...env, SEQNUM: '1' },
  origin: { kind: 'kernel' },
  receivedAtMs: 0,
}));

async function round(): Promise<{ programs: number }> {
  let programs = 0;
  for (const event of events) {
    const result = applyRules(ruleSet, subjectOfEvent(event, roots), context, {
      runProgram: () => {
        programs += 1;
        return Promise.resolve(undefined);
      },
      counts: true,
    });
    if (result instanceof Promise) await result;
  }
  return { programs };
}

for (let n = 0; n < 3; n++) await round();
const times: number[] = [];
let programs = 0;
for (let n = 0; n < Number(rounds); n++) {
  const before = process.cpuUsage();
  ({ programs } = await round());
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / events.length);
}
const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
process.stdout.write(
  `${JSON.stringify({ usPerEvent: median, events: events.length, rules: ruleSet.rules.length, loadMs, programs, cpus: os.cpus().length })}\n`,
);
