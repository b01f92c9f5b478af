/** The process a tool runs in. Bytes are written when they are given, in order, so that commands it runs write between them. */
export interface ToolHost {
  readonly out: (bytes: string | Buffer) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Whether the process was started without a standard error. */
  readonly isErrClosed?: () => boolean;
}
