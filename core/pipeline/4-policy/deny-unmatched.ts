import { assertNever } from '../../vocabulary/assert-never.ts';
import { askedFor, type Asker, type OpinionSource } from './question.ts';
import { matchingPattern, type PolicySettings } from './policy-settings.ts';

/** Who says it. */
const BY = 'usherd.toml';

/**
 * `default = "deny-unmatched"`: a device that is there and was admitted is the only reason to load a module, with all its module needs.
 * It follows the hardware by itself: a new device or a new kernel changes what matches, not what is written. The kernel's requests and
 * modprobe by name are denied, unless `allow_requests` names them.
 */
export function denyUnmatched(settings: () => PolicySettings): OpinionSource {
  return {
    name: BY,
    opinionsOn({ module, asker }) {
      const { default: byDefault, allowRequests } = settings();
      if (byDefault === 'allow' || asker.kind === 'device') return [];
      const asked = askedFor(asker) ?? '';
      const allowed = matchingPattern(allowRequests, asked);
      if (allowed !== undefined)
        return [{ verdict: 'allow', module, by: BY, reason: `allow_requests has "${allowed}", which is asked for` }];
      return [{ verdict: 'deny', module, by: BY, reason: `default is "deny-unmatched": ${askerText(asker)}` }];
    },
  };
}

function askerText(asker: Asker): string {
  switch (asker.kind) {
    case 'device':
      return `${asker.device.devpath} asks for it`;
    case 'kernel':
      return `no device asks for it, the kernel does by "${asker.alias}"`;
    case 'administrator':
      return `no device asks for it, user ${asker.uid} does by "${asker.name}"`;
    default:
      return assertNever(asker);
  }
}
