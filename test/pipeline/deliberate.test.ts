import test from 'ava';
import { readModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { modprobeBlacklist } from '../../core/pipeline/4-policy/modprobe-blacklist.ts';
import type { OpinionSource } from '../../core/pipeline/4-policy/question.ts';
import { deliberate, type Mind } from '../../core/pipeline/pipeline.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { modalias } from '../../core/vocabulary/modalias.ts';
import { makeWorld } from '../support/module-world.ts';
import type { ExecutionContext } from 'ava';

const FILES = {
  'lib/modules/6.1.0-test/modules.dep': 'net/dccp/dccp.ko: lib/crc.ko\nlib/crc.ko:\nnet/rare.ko:\n',
  'lib/modules/6.1.0-test/modules.alias': 'alias net-pf-2-proto-33 dccp\nalias usb:v0781* rare\n',
  'etc/modprobe.d/a.conf': 'blacklist dccp\noptions net-pf-2-proto-33 debug=1\n',
};

function mindOf(t: ExecutionContext, ...more: readonly OpinionSource[]): Mind {
  const { tree: dir, modprobeDir } = makeWorld(t, { files: FILES });
  const tree = ModuleTree.open(dir);
  const config = readModprobeConfig({ dirs: [modprobeDir], treeFiles: [] });
  const world = { tree, config };
  return { world: () => world, stateOf: () => undefined, opinions: [modprobeBlacklist(() => config), ...more] };
}

test("the kernel's request by an alias is planned and judged like a device's, and a blacklist line stops it", async t => {
  const alias = 'net-pf-2-proto-33';
  const { candidates, plans, decisions, refusals } = await deliberate({ kind: 'kernel', alias }, mindOf(t));
  t.deepEqual(
    candidates.map(({ module }) => module),
    ['dccp'],
  );
  t.deepEqual(
    plans[0]?.steps.map(step => [step.module, step.role, 'parameters' in step ? step.parameters : '']),
    [
      ['crc', 'dependency', ''],
      ['dccp', 'target', 'debug=1'],
    ],
  );
  t.deepEqual(
    decisions.map(({ module, verdict }) => [module, verdict]),
    [
      ['dccp', 'deny'],
      ['crc', 'abstain'],
    ],
  );
  t.is(
    refusals[0]?.get('dccp' as never),
    'dccp is denied by modprobe.d: "blacklist dccp" keeps it from loading by an alias',
  );
});

test("an administrator's request by the module's own name is not stopped by a blacklist line", async t => {
  const { decisions, refusals } = await deliberate({ kind: 'administrator', name: 'dccp', uid: 0 }, mindOf(t));
  t.deepEqual(
    decisions.map(({ verdict }) => verdict),
    ['abstain', 'abstain'],
  );
  t.is(refusals[0]?.size, 0);
});

test('each source is told who asks, for each module of the plan', async t => {
  const heard: string[] = [];
  const listener: OpinionSource = {
    name: 'listener',
    opinionsOn: ({ module, role, asker }) => {
      heard.push(`${asker.kind} ${role} ${module}`);
      return [];
    },
  };
  const mind = mindOf(t, listener);
  const device = { devpath: '/devices/a' as Devpath, subsystem: 'usb', modalias: modalias('usb:v0781p1') };
  await deliberate({ kind: 'device', device }, mind);
  await deliberate({ kind: 'kernel', alias: 'dccp' }, mind);
  t.deepEqual(heard, ['device target rare', 'kernel target dccp', 'kernel dependency crc']);
});

test('a request that must not be looked up, or that nothing answers to, has no candidates', async t => {
  const mind = mindOf(t);
  for (const alias of ['-r', '/etc/passwd', 'a\nb', '', 'no-such-thing']) {
    t.deepEqual(await deliberate({ kind: 'kernel', alias }, mind), {
      candidates: [],
      decisions: [],
      plans: [],
      refusals: [],
    });
  }
});
