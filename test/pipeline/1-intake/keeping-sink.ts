import type { IntakeSink, Loss, Rejection } from '../../../core/pipeline/1-intake/intake-sink.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';

/** A sink that keeps all it is told, and the order of it. */
export class KeepingSink implements IntakeSink {
  readonly events: Uevent[] = [];
  readonly rejections: Rejection[] = [];
  readonly losses: Loss[] = [];
  readonly order: string[] = [];

  uevents(batch: readonly Uevent[]): void {
    this.events.push(...batch);
    this.order.push(...batch.map(event => `${event.action} ${event.devpath}`));
  }

  rejected(rejection: Rejection): void {
    this.rejections.push(rejection);
    this.order.push(`rejected ${rejection.kind}`);
  }

  lost(loss: Loss): void {
    this.losses.push(loss);
    this.order.push(`lost ${loss.kind}`);
  }
}
