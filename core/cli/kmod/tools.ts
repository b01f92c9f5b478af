import { assertNever } from '../../vocabulary/assert-never.ts';
import type { ToolName } from '../argv0.ts';
import type { KmodTool } from './tool.ts';

/** Loads one tool, and of the rest of the program nothing. */
export async function loadTool(name: ToolName): Promise<KmodTool> {
  switch (name) {
    case 'lsmod':
      return (await import('./lsmod.ts')).lsmod;
    case 'modinfo':
      return (await import('./modinfo.ts')).modinfo;
    case 'insmod':
      return (await import('./insmod.ts')).insmod;
    case 'modprobe':
      return (await import('./modprobe.ts')).modprobe;
    case 'rmmod':
      return (await import('./rmmod.ts')).rmmod;
    case 'depmod':
      return (await import('./depmod.ts')).depmod;
    case 'kmod':
      return (await import('./kmod.ts')).kmod;
    default:
      return assertNever(name);
  }
}
