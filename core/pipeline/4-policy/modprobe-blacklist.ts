import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { OpinionSource } from './question.ts';

/**
 * `blacklist` lines of modprobe.d and modprobe.blacklist= of the kernel command line. They keep a module from loading because a
 * device's alias named it; as a dependency or softdep of another it still loads, as with modprobe and udev.
 * Source: modprobe.d(5), udev's `kmod load` (KMOD_PROBE_APPLY_BLACKLIST).
 */
export function modprobeBlacklist(config: () => ModprobeConfig): OpinionSource {
  return {
    name: 'modprobe.d',
    opinionsOn({ module, role }) {
      const directive = role === 'target' ? config().isBlacklisted(module) : undefined;
      if (directive === undefined) return [];
      const reason = `"blacklist ${module}" keeps it from loading for a device by itself`;
      return [{ verdict: 'deny', module, by: 'modprobe.d', reason, place: directive.place }];
    },
  };
}

/**
 * module_blacklist= of the kernel command line: the kernel itself refuses such a module with EPERM, whoever asks.
 * Source: Documentation/admin-guide/kernel-parameters.txt, module_blacklist.
 */
export function kernelBlacklist(config: () => ModprobeConfig): OpinionSource {
  return {
    name: 'kernel command line',
    opinionsOn({ module }) {
      const entry = config().kernelBlacklist.find(item => item.module === module);
      if (entry === undefined) return [];
      const reason = `module_blacklist=${module}: the kernel refuses to load it for anybody`;
      return [{ verdict: 'deny', module, by: 'kernel command line', reason, place: entry.place }];
    },
  };
}
