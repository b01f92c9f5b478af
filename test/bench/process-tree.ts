import { readFileSync, readdirSync } from 'node:fs';

/** Ticks of utime and stime in a second: sysconf(_SC_CLK_TCK), 100 on every Linux usherd runs on. */
const TICKS_PER_S = 100;

/** What a process and all its children used and hold. */
export interface TreeUse {
  /** Of the tree, and of children that have ended. */
  readonly cpuMs: number;
  readonly rssKb: number;
  readonly processes: number;
}

/** Reads /proc for a process and everything below it. Source: proc(5), stat and statm. */
export function readTree(pid: number): TreeUse {
  const children = childrenOf();
  const use = { cpuMs: 0, rssKb: 0, processes: 0 };
  const visit = (id: number, isTop: boolean): void => {
    const stat = readStat(id);
    if (stat === undefined) return;
    const ticks = stat.user + stat.system + (isTop ? stat.childUser + stat.childSystem : 0);
    use.cpuMs += (ticks * 1000) / TICKS_PER_S;
    use.rssKb += stat.rssPages * 4;
    use.processes += 1;
    for (const child of children.get(id) ?? []) visit(child, false);
  };
  visit(pid, true);
  return use;
}

/** Samples a tree's memory until stopped; answers with the most it held. */
export function watchMemory(pid: number, everyMs = 50): { stop(): { peakRssKb: number; peakProcesses: number } } {
  let peakRssKb = 0;
  let peakProcesses = 0;
  const look = (): void => {
    const { rssKb, processes } = readTree(pid);
    peakRssKb = Math.max(peakRssKb, rssKb);
    peakProcesses = Math.max(peakProcesses, processes);
  };
  look();
  const timer = setInterval(look, everyMs);
  return {
    stop() {
      look();
      clearInterval(timer);
      return { peakRssKb, peakProcesses };
    },
  };
}

/** A line of /proc/PID/smaps_rollup in kB. */
export function readSmaps(pid: number, field: 'Rss' | 'Pss' | 'Private_Dirty' | 'Private_Clean'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
  return Number(line?.[1] ?? 0);
}

interface Stat {
  readonly parent: number;
  readonly user: number;
  readonly system: number;
  readonly childUser: number;
  readonly childSystem: number;
  readonly rssPages: number;
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold blanks; fields are counted behind it.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (n: number): number => fields[n] ?? 0;
    return { parent: at(1), user: at(11), system: at(12), childUser: at(13), childSystem: at(14), rssPages: at(21) };
  } catch {
    return undefined;
  }
}

function childrenOf(): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? readStat(pid)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}
