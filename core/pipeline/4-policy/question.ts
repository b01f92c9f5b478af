import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Opinion } from './opinion.ts';

/** Who wants a module: a device that is there, the kernel (request_module), or an administrator who runs modprobe. */
export type Asker =
  | { readonly kind: 'device'; readonly device: Device; readonly event?: Uevent }
  | { readonly kind: 'kernel'; readonly alias: string }
  | { readonly kind: 'administrator'; readonly name: string; readonly uid: number };

/** May this module load? Asked for every module of a plan: the one that is wanted, and each it brings along. */
export interface Question {
  readonly module: ModuleName;
  readonly role: 'target' | 'dependency' | 'softdep';
  /** The candidate the plan is for. */
  readonly candidate: Candidate;
  readonly asker: Asker;
}

/** Somebody who is asked. Silence is an abstention. An answer from outside the process comes as a promise, which is never rejected. */
export interface OpinionSource {
  readonly name: string;
  opinionsOn(question: Question): readonly Opinion[] | Promise<readonly Opinion[]>;
  /** What an administrator has said to a hold on this module: `allow` makes holds not count, `deny` is one. */
  answersTo?(question: Question): readonly Opinion[];
}

/** The alias, or the name, by which a module was asked for; undefined for a device without a MODALIAS. */
export function askedFor(asker: Asker): string | undefined {
  if (asker.kind === 'device') return asker.device.modalias;
  return asker.kind === 'kernel' ? asker.alias : asker.name;
}
