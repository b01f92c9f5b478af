/** Where something stands, so that a person can go there: a file, and the line, column or byte in it. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly offsetBytes?: number;
}

/** Something a reader could not make sense of. It was left out; everything else was read. */
export interface Problem {
  readonly place: Place;
  /** One sentence: what was found and what was wanted. */
  readonly message: string;
}

/** `/etc/modprobe.d/a.conf:3:7`, `modules.alias.bin+0x40`: the form editors and people can follow. */
export function formatPlace({ file, line, column, offsetBytes }: Place): string {
  if (line !== undefined) return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
  return offsetBytes === undefined ? file : `${file}+0x${offsetBytes.toString(16)}`;
}

export function formatProblem({ place, message }: Problem): string {
  return `${formatPlace(place)}: ${message}`;
}
