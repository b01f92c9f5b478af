import { closeSync } from 'node:fs';

/** A descriptor that threads use, too: it is closed once the last of them has given it back, since its number may then be another file's. */
export class LentFd {
  readonly fd: number;
  #users = 0;
  #isOver = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Lends it until the answer is called; calling that again does nothing. */
  lend(): () => void {
    let isBack = false;
    this.#users += 1;
    return () => {
      if (isBack) return;
      isBack = true;
      this.#users -= 1;
      this.#closeUnused();
    };
  }

  close(): void {
    this.#isOver = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#isOver && this.#users === 0) closeSync(this.fd);
  }
}
