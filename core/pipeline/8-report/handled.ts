import type { Uevent } from '../1-intake/uevent.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Decision } from '../4-policy/opinion.ts';
import type { LoadPlan } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';

/** What one event led to: one outcome for each step of the plans, in order. */
export interface Handled {
  readonly event: Uevent;
  readonly device: Device;
  readonly candidates: readonly Candidate[];
  readonly decisions: readonly Decision[];
  readonly plans: readonly LoadPlan[];
  readonly outcomes: readonly Outcome[];
}
