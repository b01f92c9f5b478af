import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ModuleMatch } from '../../kmod/lookup/module-match.ts';

/** A module that may drive the device, and the line that says so. */
export interface Candidate {
  readonly module: ModuleName;
  readonly match: ModuleMatch;
}
