import { EventEmitter } from 'eventemitter3';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Handled } from './handled.ts';

/** What can be listened to. A listener sees values and changes nothing. */
export interface Reports {
  /** An event passed admission. */
  received: [event: Uevent];
  /** An event that asked for a driver has been dealt with. */
  handled: [handled: Handled];
  /** A sentence for the person in front of the terminal or the journal. */
  notice: [level: 'info' | 'warning' | 'error', message: string];
}

/** Where everybody who wants to know is told: terminal, `usher monitor`, plugins. Nobody listening costs nothing. */
export class Reporter extends EventEmitter<Reports> {}
