/** Ends a tool at once with this exit status, as a FATAL message does. */
export class ToolExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.name = 'ToolExit';
    this.status = status;
  }
}
