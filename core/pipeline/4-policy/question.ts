import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Device } from '../2-device/device.ts';
import type { Opinion } from './opinion.ts';

/** May this module load? Asked for every module of a plan: the one a device named, and each it brings along. */
export interface Question {
  readonly module: ModuleName;
  readonly role: 'target' | 'dependency' | 'softdep';
  /** The candidate the plan is for. */
  readonly candidate: Candidate;
  readonly device: Device;
}

/** Somebody who is asked. Silence is an abstention. */
export interface OpinionSource {
  readonly name: string;
  opinionsOn(question: Question): readonly Opinion[];
}
