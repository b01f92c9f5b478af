import type { Devpath } from '../../vocabulary/devpath.ts';
import { modalias } from '../../vocabulary/modalias.ts';
import type { Deliberation } from './deliberation.ts';

/** A wish for modules that no uevent brought: who wished, and by which alias or name. */
export interface RequestFacts {
  /** `approval`: an administrator answered a held device's question, and its plan is run again. */
  readonly asker: 'kernel' | 'administrator' | 'approval';
  readonly asked: string;
  readonly uid: number;
  /** The device that was approved. */
  readonly devpath?: Devpath;
}

/** What was decided about a request. */
export type RequestDeliberation = Omit<Deliberation, 'device'>;

/**
 * A decision's row has columns for a device; a request fills them with what was asked for. Whoever reads devices' decisions takes only
 * those whose entry is a uevent.
 */
export function asDeliberation({ asked, devpath }: RequestFacts, deliberation: RequestDeliberation): Deliberation {
  return { device: { devpath: devpath ?? ('' as Devpath), subsystem: '', modalias: modalias(asked) }, ...deliberation };
}
