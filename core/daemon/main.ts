import os from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UsherdError } from '../errors.ts';
import { formatBytes, formatCount } from '../pipeline/8-report/quantity.ts';
import { span, terminalOf, writeSpans, type Span, type Output } from '../pipeline/8-report/terminal.ts';
import { native } from '../kernel/native.ts';
import { readDriver } from '../kernel/sysfs.ts';
import { coldplugWaiting } from '../pipeline/1-intake/coldplug.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { VERSION } from '../version.ts';
import { AnswerDesk } from './answer-desk.ts';
import { Daemon } from './daemon.ts';
import { serveDaemon } from './serve.ts';
import { Notifier } from './notify.ts';
import { DevicePrinter } from './printer.ts';
import { readSettings } from './read-settings.ts';
import { parseSize, type Settings } from './settings.ts';

/** Who starts the daemon and what it may write to: the caller of a verb is one. */
export interface DaemonHost {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly roots: SystemRoot;
  readonly release: string | undefined;
  readonly signal: AbortSignal;
  /** What a thread runs that answers command lines. */
  readonly answers: string;
}

type Flags = Readonly<Record<string, unknown>>;

/** Runs the daemon until it is told to stop → exit status. The command line beats the settings files. */
export async function runDaemon(flags: Flags, host: DaemonHost): Promise<number> {
  const { settings, problems } = readSettings(host.roots.configDirs);
  const wanted = withFlags(settings, flags);
  // On a thread of the addon's, while the rest is made ready.
  native();
  const waiting = wanted.coldplug ? coldplugWaiting(host.roots) : undefined;
  const daemon = new Daemon({
    roots: host.roots,
    release: host.release ?? os.release(),
    settings: wanted,
    configured: settings,
    observes: wanted.observe || host.uid !== 0 || !host.roots.isRunningSystem,
    acceptInjected: flags['acceptInjected'] === true,
    problems,
  });
  const notifier = new Notifier(process.env);
  const printer = print(daemon, host, flags['quiet'] === true);
  await daemon.start();
  daemon.prepare();
  const told = await waiting;
  if (told !== undefined) daemon.coldplug(told);
  // Their drivers are on their way before anything else is done.
  await nextTurn();
  const answers = new AnswerDesk(host.answers);
  const server = await serveDaemon(daemon, answers).catch(async (error: unknown) => {
    await daemon.stop('it cannot be asked anything');
    throw error;
  });
  if (told !== undefined) daemon.coldplugOthers(told);
  const reload = (): void => {
    notifier.reloading();
    daemon.reload();
    notifier.ready('following uevents');
  };
  process.on('SIGHUP', reload);
  notifier.ready('following uevents');
  tellStart(daemon, host, flags['quiet'] === true);
  await untilAborted(host.signal);
  notifier.stopping();
  process.off('SIGHUP', reload);
  await server.close();
  answers.stop();
  await daemon.stop('asked to stop');
  printer?.flush();
  if (flags['quiet'] !== true) host.stdout.write(`${stopLine(daemon)}\n`);
  return 0;
}

function withFlags(settings: Settings, flags: Flags): Settings {
  const source = flags['source'];
  const size = flags['receiveBuffer'];
  const bytes = size === undefined ? settings.receiveBufferBytes : parseSize(size);
  if (bytes === undefined)
    throw new UsherdError('USAGE', `--receive-buffer has "${String(size)}", wanted a size from 4KiB to 1GiB`);
  return {
    ...settings,
    source: source === 'auto' || source === 'kernel' || source === 'udev' ? source : settings.source,
    coldplug: settings.coldplug && flags['coldplug'] !== false,
    observe: settings.observe || flags['observe'] === true,
    receiveBufferBytes: bytes,
  };
}

/** Prints what happens as it happens, devices a moment later; problems go to standard error with the priority journald reads when it is no terminal. */
function print(daemon: Daemon, { stdout, stderr, env }: DaemonHost, isQuiet: boolean): DevicePrinter | undefined {
  const out = terminalOf(stdout, env);
  const err = terminalOf(stderr, env);
  const priority = { info: 6, warning: 4, error: 3 } as const;
  daemon.reporter.on('notice', (level, message) => {
    if (isQuiet && level === 'info') return;
    const prefix = stderr.isTTY === true ? '' : `<${priority[level]}>`;
    const style = level === 'error' ? 'bad' : level === 'warning' ? 'warning' : 'faint';
    stderr.write(`${prefix}${writeSpans([span(style, `usherd: ${message}`)], err)}\n`);
  });
  if (isQuiet) return undefined;
  const printer = new DevicePrinter(
    text => void stdout.write(text),
    out,
    devpath => readDriver(daemon.options.roots, devpath),
  );
  daemon.reporter.on('handled', handled => printer.handled(handled));
  return printer;
}

function tellStart(daemon: Daemon, { stdout, env }: DaemonHost, isQuiet: boolean): void {
  if (isQuiet) return;
  const { options, ledger, world, sourceFacts } = daemon;
  const line = (title: string, ...spans: Span[]): readonly Span[] => [span('title', title.padEnd(9)), ...spans];
  const mode = options.observes ? 'observes: it says what it would load and loads nothing' : 'loads drivers';
  const lines = [
    line('usherd', `${VERSION} on Linux ${options.release}, ${mode}`),
    line('ledger', span('name', ledger.path)),
    world.hasTree
      ? line('modules', world.tree.dir)
      : line(
          'modules',
          span('warning', `no module tree for ${options.release}`),
          `: looked for ${world.lookedIn.join(' and ')}; builtin drivers are all there is`,
        ),
  ];
  if (sourceFacts !== undefined) {
    const { choice, grantedBytes, how } = sourceFacts;
    lines.push(line('source', `${choice.group}: ${choice.why}; receive buffer ${formatBytes(grantedBytes)} by ${how}`));
  }
  const terminal = terminalOf(stdout, env);
  stdout.write(`${lines.map(spans => writeSpans(spans, terminal)).join('\n')}\n`);
}

function stopLine({ counts, losses, ledger }: Daemon): string {
  const { received, loads, failures } = counts;
  return `usherd: ${formatCount(received, 'event')}, ${formatCount(loads, 'module')} loaded, ${failures} refused, ${losses.lostEvents} lost; the record is in ${ledger.path}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
