import type { SystemRoot } from '../../kernel/system-root.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { StaticNode } from '../4-policy/rules/static-nodes.ts';
import type { RuleResult } from '../4-policy/rules/rule-result.ts';
import {
  changeLink,
  setPermissions,
  setStaticPermissions,
  type NodePermissions,
  type NodeRefusal,
} from './device-nodes.ts';
import { LinkClaims } from './link-claims.ts';
import { NodeWatch } from './node-watch.ts';

type NodeEvent = Pick<Uevent, 'action' | 'devpath'>;

/** A node a group may use gets this when no rule says its mode; else it stays as the kernel made it. Source: systemd-udevd(8)'s default. */
const GROUP_MODE = 0o660;

/** What a device's node should be like, by its properties and what rules said; undefined for a device without one. */
export interface NodePlan {
  /** The device's number as text: one device, whatever its path. */
  readonly device: string;
  readonly permissions: NodePermissions;
  readonly links: readonly string[];
  readonly priority: number;
}

/** Rules' result → what the node should be like. Pure. */
export function planNode({ properties, ...said }: RuleResult, devRoot: string): NodePlan | undefined {
  const devname = properties.get('DEVNAME');
  const [major, minor] = ['MAJOR', 'MINOR'].map(key => Number(properties.get(key) ?? Number.NaN));
  if (devname === undefined || major === undefined || minor === undefined || !(major >= 0 && minor >= 0))
    return undefined;
  const node = devname.startsWith(`${devRoot}/`) ? devname.slice(devRoot.length + 1) : devname;
  const isBlock = properties.get('SUBSYSTEM') === 'block';
  const number = (key: string, base: number): number | undefined => {
    const text = properties.get(key);
    return text === undefined ? undefined : Number.parseInt(text, base);
  };
  const owner = said.owner ?? number('DEVUID', 10);
  const group = said.group ?? number('DEVGID', 10);
  const mode = said.mode ?? number('DEVMODE', 8) ?? ((group ?? 0) > 0 ? GROUP_MODE : undefined);
  return {
    device: `${isBlock ? 'b' : 'c'}${major}:${minor}`,
    permissions: {
      node,
      isBlock,
      major,
      minor,
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
      ...(mode === undefined ? {} : { mode }),
      seclabels: said.seclabels,
    },
    links: [...said.links, `${isBlock ? 'block' : 'char'}/${major}:${minor}`],
    priority: said.linkPriority,
  };
}

/** Keeps the nodes of /dev as rules say, where no udevd does. Each call is whole before the next begins. */
export class NodeKeeper {
  readonly #devRoot: string;
  readonly #claims = new LinkClaims();
  readonly #watch: NodeWatch;

  constructor(roots: Pick<SystemRoot, 'sys' | 'dev'>) {
    this.#devRoot = roots.dev;
    this.#watch = new NodeWatch(roots);
  }

  /** Watches nothing any more; links and permissions stay. */
  close(): void {
    this.#watch.close();
  }

  /** Gives nodes that are there without their devices what rules say of them → what could not be done. */
  applyStatic(nodes: readonly StaticNode[]): readonly NodeRefusal[] {
    return nodes.flatMap(node => setStaticPermissions(this.#devRoot, node) ?? []);
  }

  /** Carries out what rules said of a device's node → what could not be done. */
  apply({ action, devpath }: NodeEvent, result: RuleResult): readonly NodeRefusal[] {
    const plan = planNode(result, this.#devRoot);
    if (plan === undefined) return [];
    const isGone = action === 'remove';
    const { device, permissions, links, priority } = plan;
    const refusals = [
      isGone ? undefined : setPermissions(this.#devRoot, permissions),
      this.#watch.set(devpath, permissions.node, !isGone && result.watch === true),
    ];
    const changes = isGone
      ? this.#claims.release(device)
      : this.#claims.claim(device, permissions.node, links, priority);
    return [
      ...refusals.filter(refusal => refusal !== undefined),
      ...changes.flatMap(change => changeLink(this.#devRoot, change) ?? []),
    ];
  }
}
