import { sendDatagram } from '../kernel/unix-socket.ts';

/**
 * Tells systemd how it stands, by sd_notify(3): nothing when NOTIFY_SOCKET is not set. The variables are taken out of the environment,
 * so that no command started here speaks in our name.
 */
export class Notifier {
  readonly #address: string | undefined;
  readonly #watchdogUsec: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(env: Record<string, string | undefined>) {
    this.#address = env['NOTIFY_SOCKET'];
    const isForUs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === process.pid;
    this.#watchdogUsec = isForUs ? Number(env['WATCHDOG_USEC'] ?? 0) : 0;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  }

  /** Ready; from now on the watchdog, when systemd asked for one, is fed at half its time. */
  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`);
    if (this.#watchdogUsec > 0) {
      this.#timer = setInterval(() => this.#send('WATCHDOG=1'), this.#watchdogUsec / 2000);
      this.#timer.unref();
    }
  }

  reloading(): void {
    const monotonicUsec = process.hrtime.bigint() / 1000n;
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUsec}`);
  }

  stopping(): void {
    clearInterval(this.#timer);
    this.#send('STOPPING=1');
  }

  #send(message: string): void {
    if (this.#address !== undefined) sendDatagram(this.#address, Buffer.from(message));
  }
}
