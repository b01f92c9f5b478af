import type { Directive } from '../kmod/config/directive.ts';
import { readHolders } from '../kernel/sys-module.ts';
import { walkSysfs } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { deviceOf } from '../pipeline/2-device/read-device.ts';
import { matchDevice } from '../pipeline/3-match/match-device.ts';
import { decide } from '../pipeline/4-policy/decide.ts';
import { planLoad } from '../pipeline/5-resolve/plan-load.ts';
import type { ConfigLine, ModuleFacts } from '../pipeline/8-report/module-report.ts';
import type { Mind } from '../pipeline/pipeline.ts';
import { assertNever } from '../vocabulary/assert-never.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';

/** A module → all there is to say of it on this machine as it stands. */
export async function explainModule(
  module: ModuleName,
  { world, stateOf, opinions }: Mind,
  roots: SystemRoot,
): Promise<ModuleFacts> {
  const { tree, config } = world();
  const entry = tree.module(module);
  const place = { file: tree.dir };
  const candidate = { module, match: { module, source: 'modules.dep', pattern: module, place } } as const;
  const asker = { kind: 'device', device: { devpath: '/devices' as Devpath, subsystem: '' } } as const;
  return {
    module,
    ...(entry === undefined ? {} : { path: tree.filePath(entry) }),
    treeDir: tree.dir,
    state: stateOf(module) ?? 'not-loaded',
    holders: readHolders(roots.sys, module),
    dependencies: entry?.dependencies ?? [],
    claims: devicesNaming(module, world(), roots),
    configuration: config.directives.filter(directive => speaksOf(directive, module)).map(configLine),
    decision: await decide({ module, role: 'target', candidate, asker }, opinions),
    plan: planLoad(module, world(), { states: { get: stateOf } }),
  };
}

function devicesNaming(module: ModuleName, world: ReturnType<Mind['world']>, roots: SystemRoot): ModuleFacts['claims'] {
  return walkSysfs(roots)
    .filter(device => matchDevice(deviceOf(device), world).some(candidate => candidate.module === module))
    .map(({ devpath, driver }) => ({ devpath, ...(driver === undefined ? {} : { driver }) }));
}

function speaksOf(directive: Directive, module: ModuleName): boolean {
  return 'module' in directive ? directive.module === module : directive.pattern === module;
}

function configLine(directive: Directive): ConfigLine {
  return { text: directiveText(directive), place: directive.place };
}

function directiveText(directive: Directive): string {
  switch (directive.kind) {
    case 'alias':
      return `alias ${directive.pattern} ${directive.module}`;
    case 'options':
      return `options ${directive.module} ${directive.text}`;
    case 'blacklist':
      return `blacklist ${directive.module}`;
    case 'install':
    case 'remove':
      return `${directive.kind} ${directive.pattern} ${directive.command}`;
    case 'softdep': {
      const pre = directive.pre.length === 0 ? '' : ` pre: ${directive.pre.join(' ')}`;
      const post = directive.post.length === 0 ? '' : ` post: ${directive.post.join(' ')}`;
      return `softdep ${directive.module}${pre}${post}`;
    }
    case 'weakdep':
      return `weakdep ${directive.module} ${directive.modules.join(' ')}`;
    default:
      return assertNever(directive);
  }
}
