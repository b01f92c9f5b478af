import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import { aliasOf } from '../../kmod/lookup/module-match.ts';
import { askedFor, type OpinionSource, type Question } from './question.ts';

/**
 * `blacklist` lines of modprobe.d and modprobe.blacklist= of the kernel command line. They keep a module from loading because an
 * alias named it; by its own name, or as a dependency or softdep of another, it still loads, as with modprobe and udev.
 * Source: modprobe.d(5), udev's `kmod load` (KMOD_PROBE_APPLY_BLACKLIST).
 */
export function modprobeBlacklist(config: () => ModprobeConfig): OpinionSource {
  return {
    name: 'modprobe.d',
    opinionsOn(question) {
      const { module } = question;
      const directive = isNamedByAlias(question) ? config().isBlacklisted(module) : undefined;
      if (directive === undefined) return [];
      const whom = question.asker.kind === 'device' ? 'for a device by itself' : 'by an alias';
      const reason = `"blacklist ${module}" keeps it from loading ${whom}`;
      return [{ verdict: 'deny', module, by: 'modprobe.d', reason, place: directive.place }];
    },
  };
}

function isNamedByAlias({ role, asker, candidate }: Question): boolean {
  if (role !== 'target') return false;
  return asker.kind === 'device' || aliasOf(askedFor(asker) ?? '', candidate.match) !== undefined;
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
