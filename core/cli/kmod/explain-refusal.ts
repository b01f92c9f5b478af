import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import type { Finding } from '../../pipeline/5-resolve/finding.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import { findingsOf, readKernelFacts } from './gather-facts.ts';

/** Which findings can be the reason of an error of the kernel. */
const KINDS: Readonly<Record<string, readonly Finding['kind'][]>> = {
  ENOEXEC: ['vermagic'],
  ENOENT: ['symbol', 'dependency'],
  EPERM: ['signature', 'modules-disabled'],
  EKEYREJECTED: ['signature'],
  EKEYEXPIRED: ['signature'],
  EKEYREVOKED: ['signature'],
  ENOKEY: ['signature'],
  EBADMSG: ['signature'],
};

/** A file the kernel refused, and its error → sentences on what can be seen of the reason: which symbol, how vermagic differs. */
export function explainRefusal(
  file: string,
  errno: ErrnoName,
  place: { readonly roots: SystemRoot; readonly tree: ModuleTree },
): readonly string[] {
  const kinds = KINDS[errno] ?? [];
  if (kinds.length === 0) return [];
  return (
    findingsOf(file, readKernelFacts(place.roots, place.tree), { ...place, comes: new Set() })
      // That it is signed, and by whom, is no more than a note of a module that is not refused.
      .filter(({ kind, severity }) => kinds.includes(kind) && (severity !== 'note' || kind === 'signature'))
      .map(({ message }) => message)
  );
}
