import { readSysfsSnapshot } from '../../kernel/sysfs-snapshot.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { IntakeGroup } from './admission.ts';
import type { Loss } from './intake-sink.ts';
import { formatRecordingHeader, formatRecordingItem, type RecordingItem } from './recording.ts';
import type { Uevent } from './uevent.ts';

export interface RecorderOptions {
  /** Release of the running kernel. */
  readonly kernel: string;
  readonly started: Date;
  readonly root: Pick<SystemRoot, 'sys'>;
  /** Takes each line, newline included. It keeps its own bound: what it cannot take it must say. */
  readonly write: (line: string) => void;
  /** Changes what is written: takes out what is not for others. */
  readonly change?: (item: RecordingItem) => RecordingItem;
}

/**
 * Writes a recording as things happen: hand `datagram` to a source as its `tap`, and call `uevent` and `lost` from the sink. A replay
 * has no /sys, so what /sys says of a device is written the first time an event of it is seen, and again when it was added or bound.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #startedMs: number;
  readonly #described = new Set<string>();
  #lastMs = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#startedMs = options.started.getTime();
    options.write(formatRecordingHeader(options));
  }

  readonly datagram = (bytes: Uint8Array, from: IntakeGroup, atMs: number): void => {
    this.#write({ kind: 'datagram', tMs: this.#since(atMs), from, bytes: Buffer.from(bytes) });
  };

  /** Call it for each uevent that was admitted. */
  uevent({ action, devpath, receivedAtMs }: Uevent): void {
    if (action === 'remove') {
      this.#described.delete(devpath);
      return;
    }
    const isNews = action === 'add' || action === 'bind' || action === 'unbind' || action === 'move';
    if (!isNews && this.#described.has(devpath)) return;
    this.#described.add(devpath);
    const { attrs, links } = readSysfsSnapshot(this.#options.root, devpath);
    // Read after the fact: a device that is gone by now has nothing to say.
    if (Object.keys(attrs).length === 0) return;
    this.#write({ kind: 'sysfs', tMs: this.#since(receivedAtMs), devpath, attrs, links });
  }

  lost({ kind: reason, dropped, atMs }: Loss): void {
    const tMs = this.#since(atMs);
    this.#write({ kind: 'lost', tMs, reason, ...(dropped === undefined ? {} : { dropped }) });
  }

  /** Milliseconds from the start to a thousandth; never less than on the line before, as clocks may be set back. */
  #since(atMs: number): number {
    this.#lastMs = Math.max(this.#lastMs, Math.round((atMs - this.#startedMs) * 1000) / 1000);
    return this.#lastMs;
  }

  #write(item: RecordingItem): void {
    const { write, change } = this.#options;
    write(formatRecordingItem(change === undefined ? item : change(item)));
  }
}
