import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { parseModulesDevname, type DevnameLine } from '../../kmod/maps/modules-devname.ts';
import { helpText } from './tool-help.ts';
import { openTree } from './tool-world.ts';
import type { ToolRun } from './tool.ts';

type Format = (nodes: readonly DevnameLine[]) => string;

const FORMATS: Readonly<Record<string, Format>> = { human: humanText, tmpfiles: tmpfilesText, devname: devnameText };

/** `kmod static-nodes`: modules.devname of the running kernel in another form. One that is missing is no failure. */
export function runStaticNodes(run: ToolRun): number {
  const { tool, host, valueOf } = run;
  const asked = valueOf('format') ?? 'human';
  const format = Object.hasOwn(FORMATS, asked) ? FORMATS[asked] : undefined;
  if (format === undefined) {
    host.err(`Unknown format: '${asked}'.\n`);
    host.out(helpText(tool));
    return 1;
  }
  const file = path.join(openTree(run, {}).dir, 'modules.devname');
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new UsherdError('FILE_UNREADABLE', `${file}: ${message}`, { file }, error);
    host.err(`Warning: ${file} not found - ignoring\n`);
    return 0;
  }
  const lines = text.split('\n').filter(line => !line.startsWith('#'));
  const { entries } = parseModulesDevname(lines.join('\n'), file);
  const output = valueOf('output');
  if (output === undefined) host.out(Buffer.from(format(entries), 'latin1'));
  else writeWhole(output, Buffer.from(format(entries), 'latin1'));
  return 0;
}

function writeWhole(file: string, bytes: Buffer): void {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(beside, bytes, { mode: 0o644, flag: 'wx' });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}

function humanText(nodes: readonly DevnameLine[]): string {
  return nodes
    .map(({ module, node, type, major, minor }) =>
      [
        `Module: ${module}`,
        `\tDevice node: /dev/${node}`,
        `\t\tType: ${type === 'b' ? 'block' : 'character'} device`,
        `\t\tMajor: ${major}`,
        `\t\tMinor: ${minor}`,
        '',
      ].join('\n'),
    )
    .join('');
}

/** A folder of a node's own is made with it. */
function tmpfilesText(nodes: readonly DevnameLine[]): string {
  return nodes
    .map(({ node, type, major, minor }) => {
      const slash = node.indexOf('/');
      const folder = slash < 0 ? '' : `d /dev/${node.slice(0, slash)} 0755 - - -\n`;
      return `${folder}${type}! /dev/${node} 0600 - - - ${major}:${minor}\n`;
    })
    .join('');
}

function devnameText(nodes: readonly DevnameLine[]): string {
  return nodes.map(({ module, node, type, major, minor }) => `${module} ${node} ${type}${major}:${minor}\n`).join('');
}
