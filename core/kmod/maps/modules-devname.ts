import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/** One line of modules.devname, `MODULE NODE cMAJOR:MINOR`: a device node that loads its module when it is opened. */
export interface DevnameLine {
  readonly module: ModuleName;
  /** Below /dev: `net/tun`. */
  readonly node: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
}

/** modules.devname → its lines. */
export function parseModulesDevname(text: string, file: string): MapFile<DevnameLine> {
  return parseLines(text, file, '"MODULE NODE cMAJOR:MINOR"', line => {
    const [, module, node, type, major, minor] = /^(\S+) (\S+) ([cb])([0-9]{1,9}):([0-9]{1,9})$/.exec(line) ?? [];
    if (module === undefined || node === undefined) return undefined;
    return {
      module: moduleName(module),
      node,
      type: type === 'b' ? 'b' : 'c',
      major: Number(major),
      minor: Number(minor),
    };
  });
}

/** The line depmod writes, with its newline. */
export function formatDevnameLine({ module, node, type, major, minor }: DevnameLine): string {
  return `${module} ${node} ${type}${major}:${minor}\n`;
}
