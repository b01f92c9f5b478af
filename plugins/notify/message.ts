import type { PluginReport } from '../../core/plugin-api/index.ts';

/** What can be told of. */
export const OCCASIONS = ['denied', 'held', 'refused', 'failed', 'unmatched', 'error', 'warning', 'info'] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** One thing worth telling, as every sink gets it; a command and a webhook get it as JSON. */
export interface Message {
  readonly occasion: Occasion;
  /** A few words. */
  readonly title: string;
  /** A sentence or two, with what to do about it. */
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly host: string;
  readonly module?: string;
  readonly device?: { readonly devpath: string; readonly subsystem: string; readonly modalias?: string };
  /** Who decided it. */
  readonly by?: string;
  readonly reason?: string;
}

/** What usherd reports → what is worth telling of it, of the occasions that are wanted. One event may give several. */
export function messagesOf(report: PluginReport, wanted: ReadonlySet<Occasion>, host: string): readonly Message[] {
  const messages = report.kind === 'notice' ? [noticed(report, host)] : handledMessages(report, host);
  return messages.filter(({ occasion }) => wanted.has(occasion));
}

type Notice = Extract<PluginReport, { readonly kind: 'notice' }>;
type Handled = Extract<PluginReport, { readonly kind: 'handled' }>;

function noticed({ level, message }: Notice, host: string): Message {
  const title = level === 'info' ? 'usherd' : `usherd: ${level}`;
  return { occasion: level, title, text: shown(message), time: new Date().toISOString(), host };
}

function handledMessages(report: Handled, host: string): readonly Message[] {
  const { event, device, decisions, outcomes, candidates } = report;
  const { devpath, subsystem, modalias } = device;
  const basis = {
    time: new Date(event.receivedAtMs).toISOString(),
    host,
    device: { devpath, subsystem, ...(modalias === undefined ? {} : { modalias }) },
  };
  const messages: Message[] = [];
  const tell = (message: Omit<Message, keyof typeof basis>): void => void messages.push({ ...basis, ...message });
  for (const { module, verdict, by = 'usherd', reason = 'no reason was given' } of decisions) {
    const words = { module, by, reason: shown(reason) };
    const said = `${shown(by)}: ${words.reason}`;
    if (verdict === 'deny')
      tell({ ...words, occasion: 'denied', title: `${module} was denied`, text: `${said}. Device ${devpath}.` });
    if (verdict === 'hold') {
      const text = `${said}. Device ${devpath}; usher approve ${devpath} lets it in.`;
      tell({ ...words, occasion: 'held', title: `${module} waits for you`, text });
    }
  }
  for (const { module, kind, why = 'the kernel gave no reason' } of outcomes) {
    const reason = shown(why);
    const text = `${reason}. Device ${devpath}.`;
    if (kind === 'refused') tell({ occasion: 'refused', title: `the kernel refused ${module}`, text, module, reason });
    if (kind === 'failed') tell({ occasion: 'failed', title: `${module} could not be loaded`, text, module, reason });
  }
  if (candidates.length === 0 && device.driver === undefined) {
    const text = `No module here claims ${shown(modalias ?? 'it')}. Device ${devpath}.`;
    tell({ occasion: 'unmatched', title: 'a device has no driver', text });
  }
  return messages;
}

/** Longest text a person is shown; device names and reasons can be anything. */
const SHOWN_MAX_CHARACTERS = 500;

/** A text without what a terminal or a desktop would act on: control characters, and those that turn the direction of writing. */
export function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, SHOWN_MAX_CHARACTERS);
}
